"""Puts all registers of a module side by side, so that they take their new values together.

CXXRTL commits them one after the other. In a large design a processor spends most of its time on that, and a compiler
much of its own.
"""

import re
from collections.abc import Collection

__all__ = ("Registers",)

_DECLARATION = re.compile(r"\t(?:/\*\w+\*/ )?wire<(\d+)> (\w+);$")
_COMMIT = re.compile(r"\t\tchanged \|= ((\w+)\.commit\(observer\);)$")
_BEGIN = "\t\tbool changed = false;"
_USE = re.compile(r"\b(\w+)\.(curr|next)\b")
_RESET = re.compile(r"^\t(\w+) = wire(<\d+>\{.*\};)$", re.MULTILINE)

#: Does what ``commit()`` of each register would do. Where nothing rests the first few words differ already.
_COMMIT_ALL = """\
\t\tif (__builtin_memcmp(&curr, &next, sizeof curr)) {
\t\t\tcurr = next;
\t\t\tchanged = true;
\t\t}"""


class Registers:
    """A module's struct with its registers in two structs inside: ``curr`` and ``next``.

    Parameters
    ----------
    struct
        The module's struct, in which each register is a member ``wire<…>``, with ``curr`` and ``next`` inside.
    type_name
        Its name.
    ports
        Those that are ports stay members.
    uncounted
        These, too; and ``commit()`` doesn't say that something has changed when only they have.
    """

    def __init__(self, struct: str, type_name: str, ports: Collection[str], uncounted: Collection[str]) -> None:
        declared = [(int(match[1]), match[2]) for match in map(_DECLARATION.match, struct.split("\n")) if match]
        # Those of 64-bit words first, so that there is nothing in between them.
        apart = {*ports, *uncounted}
        together = sorted((item for item in declared if item[1] not in apart), key=lambda item: item[0] <= 32)
        self._names = {name for _, name in together}
        lines: list[str] = []
        for line in struct.split("\n"):
            declaration, commit = _DECLARATION.match(line), _COMMIT.match(line)
            if (declaration and declaration[2] in self._names) or (commit and commit[2] in self._names):
                continue
            lines.append(f"\t\t{commit[1]}" if commit and commit[2] in uncounted else line)
            if self._names and line == _BEGIN:
                lines.append(_COMMIT_ALL)
        text = self._renamed("\n".join(lines))
        if self._names:
            members = "".join(f"\t\tvalue<{width}> {name};\n" for width, name in together)
            head = f"struct {type_name} {{\n"
            text = text.replace(head, f"{head}\tstruct registers {{\n{members}\t}} curr, next;\n", 1)
        self.struct = text

    def rename(self, text: str) -> str:
        """A function's text in which registers are named as they are in the struct."""

        def reset(match: re.Match[str]) -> str:
            name, value = match.groups()
            return f"\tcurr.{name} = next.{name} = value{value}" if name in self._names else match[0]

        return self._renamed(_RESET.sub(reset, text))

    def _renamed(self, text: str) -> str:
        return _USE.sub(lambda use: f"{use[2]}.{use[1]}" if use[1] in self._names else use[0], text)
