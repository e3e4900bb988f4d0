"""What is done to the C++ that ``write_cxxrtl`` wrote, before a compiler sees it.

Comments go (half of the text, and the only place where names stand unescaped). The functions are sorted into parts
that are compiled side by side, each with what it needs: the ones that run every cycle optimized, the ones that only a
trace asks for not at all. A part is a section of one file, chosen by ``-D LAB_PART=n``.
"""

import re

__all__ = ("Generated",)

_FUNCTION = re.compile(r"^(?:CXXRTL_EXTREMELY_COLD\s+)?[\w:]+ \w+::(\w+)\([^;\n]*\) \{$", re.MULTILINE)
_PORT = re.compile(r"/\*(input|output|inout)\*/ (value|wire)<(\d+)> (\w+);")
_WIRE = re.compile(r"\bwire<(\d+)> \w+;")
_MEMORY = re.compile(r"memory<(\d+)> (\w+) \{ (\d+)u \};")
_COPY = re.compile(r"\s*(\w+) = (\w+);$")
_DECLARATION = re.compile(r"\s*value<\d+> \w+;$")
_EDGE = re.compile(r"\b(posedge|negedge)_(\w+)\b")


class Generated:
    """The C++ of one module.

    Parameters
    ----------
    header, source
        What ``write_cxxrtl -header`` wrote.
    module
        The module's name in the netlist, a plain identifier.
    """

    def __init__(self, header: str, source: str, module: str) -> None:
        self.type = "p_" + module.replace("_", "__")
        header, source = _without_comments(header), _without_comments(source)
        self.namespace = _single(re.findall(r"^namespace (\w+) \{$", header, re.MULTILINE), "namespace")
        self.struct = _between(header, f"namespace {self.namespace} {{\n", f"}} // namespace {self.namespace}")
        self.functions = _functions(_between(source, f"namespace {self.namespace} {{\n", "} // namespace"))

    @property
    def ports(self) -> dict[str, str]:
        """Names of the C++ members that are ports, by direction and name: ``{"p_clk": "input"}``."""
        return {name: direction for direction, _, _, name in _PORT.findall(self.struct)}

    def memories(self) -> list[tuple[str, int, int]]:
        """Name, width and depth of each memory."""
        return [(name, int(width), int(depth)) for width, name, depth in _MEMORY.findall(self.struct)]

    @property
    def register_bits(self) -> int:
        """Bits of state outside memories."""
        return sum(int(width) for width in _WIRE.findall(self.struct))

    @property
    def only_rising_clock(self) -> bool:
        """Whether nothing in the module looks at a clock but at the rising edge of ``clk``.

        Nothing can then happen when the clock falls, and that half of every cycle needs no evaluation.
        """
        body = self.struct + "".join(self.functions.values())
        edges = set(_EDGE.findall(body))
        if edges - {("posedge", "p_clk")}:
            return False
        return not _looks_at_level(self.functions["eval"], "p_clk")

    def text(self, hot: str, cold: str, names: tuple[str, ...] = ("debug_eval", "debug_info")) -> str:
        """The module as sections: 0 what runs and ``hot``, 1 the functions ``names`` and ``cold``."""
        running = "\n".join(body for name, body in self.functions.items() if name not in names)
        asked = "\n".join(body for name, body in self.functions.items() if name in names)
        return (
            f"namespace {self.namespace} {{\nusing namespace cxxrtl;\nusing namespace cxxrtl_yosys;\n{self.struct}}}\n"
            f"#if LAB_PART == 0\nnamespace {self.namespace} {{\n{running}}}\n{hot}"
            f"#elif LAB_PART == 1\nnamespace {self.namespace} {{\n{asked}}}\n{cold}"
            "#endif\n"
        )


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
