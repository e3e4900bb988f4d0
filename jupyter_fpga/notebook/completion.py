"""Tab: options and values of the magics, and attributes of board handles."""

import functools
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult
from IPython.core.guarded_eval import EVALUATION_POLICIES, SelectivePolicy

from jupyter_fpga.client.errors import LabError
from jupyter_fpga.client.memories import Memories
from jupyter_fpga.client.registers import Registers

from .contents import contents_of
from .desk import Desk
from .options import CELL, COMMANDS

__all__ = ("completions",)

#: Classes whose attributes may be looked up for completion: doing so reads nothing from a board, since registers and
#: fields are listed by ``__dir__`` and made without access.
_SAFE = (Registers, Memories)


#: Options of commands, besides names of handles.
_LINE_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "logs": ("--follow",),
    "jobs": ("--all",),
    **dict.fromkeys(("release", "renew", "reset", "attach"), ("--board",)),
}
_REPEATED = ("--tag", "--param", "--probe")


class Completer:
    """Completes the magics' lines.

    Parameters
    ----------
    desk
        Knows names, and the lab for targets and boards.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def cell(self, line: str, text: str) -> list[str]:
        """``%%fpga …`` up to the cursor, above the cell's text."""
        *given, last = line.split()[1:] if not line[-1:].isspace() else [*line.split()[1:], ""]
        options = CELL.options()
        option, equals, _ = last.partition("=")
        if not equals:
            option = given[-1] if given else ""
        if option in options and options[option].nargs != 0:
            return self._values(option, text, given)
        named = {word.partition("=")[0] for word in given} - set(_REPEATED)
        return [known for known in options if known.startswith("--") and known not in named]

    def line(self, line: str) -> list[str]:
        """``%fpga …`` up to the cursor."""
        words = line.split()[1:] if not line[-1:].isspace() else [*line.split()[1:], ""]
        if len(words) < 2:
            return list(COMMANDS)
        command, *given, _ = words
        if given and given[-1] == "--board":
            return self._boards(held=True)
        if command == "target":
            return self._targets(everything=True)
        if command == "help":
            return list(COMMANDS)
        named = command in ("logs", "release", "renew", "reset", "attach")
        handles = [name for name in self._desk.boards if name != "_fpga"] if named else []
        return [*handles, *_LINE_OPTIONS.get(command, ()), "--help"]

    def _values(self, option: str, text: str, given: Sequence[str]) -> list[str]:
        match option:
            case "--name":
                return [name for name in self._desk.boards if name != "_fpga"]
            case "--top":
                return list(contents_of(text).tops)
            case "--probe":
                return list(contents_of(text).signals)
            case "--param":
                return [f"{name}=" for name in contents_of(text).params]
            case "--board":
                return self._boards()
            case "--tag":
                return sorted({tag for board in self._ask("boards") for tag in board["tags"]})
            case "--target":
                # Without a board, any that designs can be built for.
                return self._targets(everything=bool({"--sim", "--build-only"} & set(given)))
        return []

    def _boards(self, *, held: bool = False) -> list[str]:
        boards = self._ask("boards")
        own = [board for board in boards if (board["session"] or {}).get("session_id") is not None]
        return [str(board["fpga_id"]) for board in (own if held else boards)]

    def _targets(self, *, everything: bool) -> list[str]:
        if everything:
            return sorted(target["name"] for target in self._ask("targets"))
        return sorted({board["target"] for board in self._ask("boards")})

    def _ask(self, what: Literal["boards", "targets"]) -> list[dict[str, Any]]:
        lab = self._desk.known_lab
        if lab is None:
            # Nobody wants a lab to be started by the Tab key.
            return []
        try:
            return list(lab.boards() if what == "boards" else lab.targets())
        except LabError:
            return []


def completions(context: CompletionContext, desk: Desk) -> SimpleMatcherResult:
    """What may stand where the cursor is, if that is in one of the magics' lines."""
    _allow_attributes()
    completer = Completer(desk)
    line = context.text_until_cursor
    known: list[str] = []
    if line.startswith("%%fpga ") and context.cursor_line == 0:
        known = completer.cell(line, context.full_text.partition("\n")[2])
    elif line.startswith("%fpga "):
        known = completer.line(line)
    found = [SimpleCompletion(text=word) for word in known if word.startswith(context.token)]
    # Python's names, which fit no magic's line, would bury these.
    return SimpleMatcherResult(completions=found, suppress=bool(found))


@functools.cache
def _allow_attributes() -> None:
    """Let IPython complete ``board.regs.``: it looks nothing up in classes that it doesn't know to be harmless."""
    policy = EVALUATION_POLICIES["limited"]
    assert isinstance(policy, SelectivePolicy)
    policy.allowed_getattr.update(_SAFE)
