"""What is done to the C++ that ``write_cxxrtl`` wrote, before a compiler sees it.

Comments go (half of the text, and the only place where names stand unescaped), and what only CXXRTL's own library asks
for. The table of signals becomes plain data. Functions are sorted into parts that are compiled side by side: what runs
every cycle optimized, what only a trace asks for not at all. A part is a section of one file, chosen by
``-D LAB_PART=n``.
"""

import re
from collections.abc import Collection

from jupyter_fpga.gateware.simulation._registers import Registers
from jupyter_fpga.gateware.simulation._split import split_eval

__all__ = ("COLD", "HOT", "MORE", "Generated", "no_signals", "part_condition")

#: Values of ``LAB_PART``. MORE is there only for a large design: a half of what runs every cycle.
HOT, COLD, MORE = 0, 1, 2


def part_condition(part: int) -> str:
    """The line with which the section of ``part`` begins."""
    return f"#{'if' if part == HOT else 'elif'} LAB_PART == {part}\n"


def no_signals(source: str, text: str) -> str:
    """What stands in for the section COLD where nobody asks for signals: C++ that is compiled at once.

    Parameters
    ----------
    source, text
        Name of the file that :meth:`Generated.text` is in, and that text.
    """
    found = re.search(r"^void (\w+)::signals\(lab::Signals &to\) \{$", text, re.MULTILINE)
    space = re.match(r"(?:#include .*\n)*namespace (\w+) \{", text)
    assert found is not None
    assert space is not None
    functions = f"void {found[1]}::signals(lab::Signals &) {{}}\nvoid {found[1]}::derive() {{}}\n"
    # No section has that number: what is left is the type.
    return f'#define LAB_PART -1\n#include "{source}"\nnamespace {space[1]} {{\n{functions}}}\n'


_FUNCTION = re.compile(r"^(?:CXXRTL_EXTREMELY_COLD\s+)?[\w:]+ \w+::(\w+)\([^;\n]*\) \{$", re.MULTILINE)
_PORT = re.compile(r"/\*(input|output|inout)\*/ (value|wire)<(\d+)> (\w+);")
_MEMBER = re.compile(r"\b(value|wire)<(\d+)> (\w+);")
_MEMORY = re.compile(r"\bmemory<(\d+)> (\w+) \{ (\d+)u \};")
_COPY = re.compile(r"\s*(\w+) = (\w+);$")
_DECLARATION = re.compile(r"\s*value<\d+> \w+;$")
_EDGE_BLOCK = re.compile(r"\tif \((?:posedge|negedge)_\w+\) \{$")
_EDGE_BLOCKS = re.compile(r"^\tif \((?:posedge|negedge)_\w+\) \{\n.*?^\t\}$", re.MULTILINE | re.DOTALL)
_ASSIGNED = re.compile(r"^\s*(?:value<\d+> )?(\w+)(?:\.\w+<[^>]*>\(\))* = ", re.MULTILINE)
_CXXRTL_ONLY = re.compile(
    r"^\s*(?:void debug_eval\(\)|debug_outline debug_eval_outline|void debug_info\().*$", re.MULTILINE
)
_EDGE = re.compile(r"\b(posedge|negedge)_(\w+)\b")

#: ``items->add(path, "name", "attributes", what…);`` in debug_info().
_ITEM = re.compile(r'\s*items->add\(path, ("(?:[^"\\]|\\.)*"), "(?:[^"\\]|\\.)*", (.*)\);$')
_ITEM_CONSTANT = re.compile(r"\s*static const value<(\d+)> (\w+) = (value<\d+>\{[^}]*\});$")


class Generated:
    """The C++ of one module.

    Parameters
    ----------
    header, source
        What ``write_cxxrtl -header -g4 -namespace …`` wrote.
    module
        The module's name in the netlist, a plain identifier.

    Raises
    ------
    ValueError
        The text isn't of the form that is known: this is a Yosys that the lab wasn't made for.
    """

    def __init__(self, header: str, source: str, module: str) -> None:
        self.type = "p_" + module.replace("_", "__")
        header, source = _without_comments(header), _without_comments(source)
        self.namespace = _single(re.findall(r"^namespace (\w+) \{$", header, re.MULTILINE), "namespace")
        self.struct = _plain_struct(
            _between(header, f"namespace {self.namespace} {{\n", f"}} // namespace {self.namespace}")
        )
        self.functions = _functions(_between(source, f"namespace {self.namespace} {{\n", "} // namespace"))
        self.functions["eval"] = _merge_blocks(self.functions["eval"])
        self.members = {name: (kind, int(width)) for kind, width, name in _MEMBER.findall(self.struct)}

    @property
    def ports(self) -> dict[str, str]:
        """The C++ members that are ports, and their directions: ``{"p_clk": "input"}``."""
        return {name: direction for direction, _, _, name in _PORT.findall(self.struct)}

    def memories(self) -> list[tuple[str, int, int]]:
        """Name, width and depth of each memory."""
        return [(name, int(width), int(depth)) for width, name, depth in _MEMORY.findall(self.struct)]

    @property
    def register_bits(self) -> int:
        """Bits of state outside memories."""
        return sum(width for kind, width in self.members.values() if kind == "wire")

    @property
    def only_rising_clock(self) -> bool:
        """Whether nothing in the module looks at a clock but at the rising edge of ``clk``.

        Nothing can then happen when the clock falls, and that half of every cycle needs no evaluation.
        """
        return not self._edges - {("posedge", "p_clk")} and not _looks_at_level(self.functions["eval"], "p_clk")

    @property
    def has_other_clocks(self) -> bool:
        """Whether something waits for an edge of another clock than ``clk``, which CXXRTL may never see."""
        return any(clock != "p_clk" for _, clock in self._edges)

    @property
    def _edges(self) -> set[tuple[str, str]]:
        return set(_EDGE.findall(self.struct + "".join(self.functions.values())))

    @property
    def settles_at_once(self) -> bool:
        """Whether one evaluation without a clock edge leaves nothing to be committed.

        So it is when only clock edges give registers and memories new values, and no logic runs in a circle.
        """
        body = self.functions["eval"]
        outside = _EDGE_BLOCKS.sub("", body)
        return "bool converged = true;" in body and ".next" not in outside and ".update(" not in outside

    def text(self, glue: str, *, whole: bool = False, uncounted: Collection[str] = ()) -> str:
        """The module as C++ in sections: HOT with ``glue`` after it, COLD, and MORE if there is enough for it.

        A function stays in one piece when ``whole``: it is faster, and longer to compile. ``commit()`` doesn't say that
        something has changed when only registers have that are ``uncounted``.

        Besides its own members the type has ``signals(lab::Signals &, const char *path)``, which tells every signal's
        name and place, and ``derive()``, which computes those that the optimizer left out.
        """
        running = {name: body for name, body in self.functions.items() if name not in ("debug_eval", "debug_info")}
        struct, more = self.struct, ""
        split = None if whole else split_eval(running["eval"], self.type, set(self.members))
        if split is not None:
            struct = _with_members(struct, split.members)
            running["eval"] = split.whole
            # One half with what else there is to compile, the other by itself.
            length = len(struct) + sum(map(len, running.values())) + sum(map(len, split.pieces))
            while split.pieces and len(more) + len(split.pieces[-1]) <= length / 2:
                more = split.pieces.pop() + more
            running["pieces"] = "".join(split.pieces)
        derive = self.functions.get("debug_eval", f"void {self.type}::debug_eval() {{\n}}\n")
        cold = derive.replace("::debug_eval", "::derive", 1) + self._signals()

        registers = Registers(struct, self.type, self.ports, uncounted)

        def section(part: int, text: str, after: str = "") -> str:
            return f"{part_condition(part)}namespace {self.namespace} {{\n{registers.rename(text)}}}\n{after}"

        return (
            f"namespace {self.namespace} {{\nusing namespace lab::rtl;\n{registers.struct}}}\n"
            + section(HOT, "\n".join(running.values()), glue)
            + section(COLD, cold)
            + (section(MORE, more) if more else "")
            + "#endif\n"
        )

    def _signals(self) -> str:
        lines = [f"void {self.type}::signals(lab::Signals &to) {{"]
        constants: dict[str, int] = {}
        derived = set(_ASSIGNED.findall(self.functions.get("debug_eval", "")))
        for line in self.functions.get("debug_info", "").splitlines():
            constant = _ITEM_CONSTANT.match(line)
            item = _ITEM.match(line)
            if constant:
                constants[constant[2]] = int(constant[1])
                lines.append(f"\tstatic const value<{constant[1]}> {constant[2]} = {constant[3]};")
            elif item:
                lines += self._signal(item[1], item[2].split(", "), constants, derived)
        return "\n".join([*lines, "}\n"])

    def _signal(self, name: str, what: list[str], constants: dict[str, int], derived: set[str]) -> list[str]:
        """The statement that tells one signal, or part of one; memories are left out."""
        low = 0
        is_derived = what[0] == "debug_eval_outline"
        if what[0] in ("debug_alias()", "debug_eval_outline"):
            del what[0]
        place, *rest = what
        if place.startswith("memory_"):
            return []
        if rest and rest[0].isdigit():
            low = int(rest[0])
        if place in constants:
            kind, width = "value", constants[place]
        else:
            kind, width = self.members[place]
        if width == 0:
            return []
        data = f"{place}.curr.data" if kind == "wire" else f"{place}.data"
        is_derived = is_derived or place in derived
        return [f"\tto.add({name}, {data}, {width}, {low}, {str(is_derived).lower()});"]


def _plain_struct(text: str) -> str:
    """The struct without the base class and the members that CXXRTL's own library needs."""
    text, count = re.subn(r"^(struct \w+) : public module \{", r"\1 {", text, flags=re.MULTILINE)
    if count != 1:
        raise ValueError(f"Expected one struct in the C++ that Yosys wrote, found {count}.")
    text = re.sub(
        r"^\s*(void debug_eval\(\)|debug_outline debug_eval_outline|void debug_info\().*$", "", text, flags=re.M
    )
    text = text.replace(" override", "")
    text = re.sub(r"if \((\w+\.commit\(observer\))\) changed = true;", r"changed |= \1;", text)
    return _with_members(text, "\tvoid signals(lab::Signals &to);\n\tvoid derive();")


def _with_members(struct: str, members: str) -> str:
    end = struct.rindex("};")
    return f"{struct[:end]}{members}\n{struct[end:]}"


def _merge_blocks(function: str) -> str:
    """A function whose neighbouring blocks for the same clock edge are one.

    The backend writes one for each register. A compiler takes twice as long for thousands of branches.
    """
    lines = function.split("\n")
    kept: list[str] = []
    block = None
    index = 0
    while index < len(lines):
        line = lines[index]
        if line == "\t}" and block is not None and lines[index + 1 : index + 2] == [block]:
            index += 2
            continue
        if _EDGE_BLOCK.match(line):
            block = line
        elif line == "\t}":
            block = None
        kept.append(line)
        index += 1
    return "\n".join(kept)


def _looks_at_level(function: str, name: str) -> bool:
    """Whether a function uses the level of a wire, other than by giving it a second name that nobody uses."""
    aliases = {name}
    lines = function.splitlines()
    found = True
    while found:
        found = False
        rest = []
        for line in lines:
            match = _COPY.match(line)
            if match and match[2] in aliases:
                aliases.add(match[1])
                found = True
            else:
                rest.append(line)
        lines = rest
    pattern = re.compile(r"\b(" + "|".join(aliases) + r")\b")
    return any(pattern.search(line) for line in lines if not _DECLARATION.match(line))


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if not line.lstrip().startswith("//"))


def _single(found: list[str], what: str) -> str:
    if len(set(found)) != 1:
        raise ValueError(f"Expected one {what} in the C++ that Yosys wrote, found {found}.")
    return found[0]


def _between(text: str, start: str, end: str) -> str:
    _, first, rest = text.partition(start)
    inside, last, _ = rest.partition(end)
    if not first or not last:
        raise ValueError(f"Expected {start.strip()!r} and then {end.strip()!r} in the C++ that Yosys wrote.")
    return inside


def _functions(text: str) -> dict[str, str]:
    found = {}
    for match in _FUNCTION.finditer(text):
        end = text.index("\n}\n", match.start()) + 3
        found[match[1]] = text[match.start() : end]
    if not {"reset", "eval"} <= found.keys():
        raise ValueError(f"Expected the functions reset and eval in the C++ that Yosys wrote, found {sorted(found)}.")
    return found
