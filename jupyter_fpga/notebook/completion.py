"""Tab: options and values of the magics, and attributes of board handles."""

from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.guarded_eval import EVALUATION_POLICIES, SelectivePolicy
from IPython.core.interactiveshell import InteractiveShell

from jupyter_fpga.client.errors import LabError
from jupyter_fpga.client.memories import Memories
from jupyter_fpga.client.registers import Registers

from .desk import Desk
from .options import CELL, COMMANDS, LINE

__all__ = ("install",)

#: Classes whose attributes may be looked up for completion: doing so reads nothing from a board, since registers and
#: fields are listed by ``__dir__`` and made without access.
_SAFE = (Registers, Memories)


class Completer:
    """Completes the magics' lines.

    Parameters
    ----------
    desk
        Knows names, and the lab for targets and boards.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def cell(self, line: str) -> list[str]:
        """``%%fpga …`` up to the cursor."""
        words = line.split(" ")
        previous = words[-2] if len(words) > 2 else ""
        if previous in CELL.options() and CELL.options()[previous].nargs != 0:
            return self._values(previous)
        return [option for option in CELL.options() if option.startswith("--")]

    def line(self, line: str) -> list[str]:
        """``%fpga …`` up to the cursor."""
        words = line.split(" ")
        if len(words) <= 2:
            return list(COMMANDS)
        if words[-2] == "--board":
            return self._values("--board")
        if words[1] == "target":
            return self._values("--target")
        return [
            *(name for name in self._desk.boards),
            *(option for option in LINE.options() if option.startswith("--")),
        ]

    def _values(self, option: str) -> list[str]:
        if option == "--name":
            return [name for name in self._desk.boards if name != "_fpga"]
        lab = self._desk.known_lab
        if lab is None or option not in ("--target", "--board", "--tag"):
            # Nobody wants a lab to be started by the Tab key.
            return []
        try:
            boards = lab.boards()
        except LabError:
            return []
        if option == "--board":
            return [str(board["fpga_id"]) for board in boards]
        if option == "--tag":
            return sorted({tag for board in boards for tag in board["tags"]})
        return sorted({board["target"] for board in boards})


def install(shell: InteractiveShell, desk: Desk) -> None:
    """Complete the magics in ``shell``."""
    completer = Completer(desk)

    @context_matcher()  # type: ignore[untyped-decorator]  # IPython's decorators have no types
    def fpga_matcher(context: CompletionContext) -> SimpleMatcherResult:
        line = context.text_until_cursor
        known: list[str] = []
        if line.startswith("%%fpga ") and context.cursor_line == 0:
            known = completer.cell(line)
        elif line.startswith("%fpga "):
            known = completer.line(line)
        found = [SimpleCompletion(text=word) for word in known if word.startswith(context.token)]
        # Python's names, which fit no magic's line, would bury these.
        return SimpleMatcherResult(completions=found, suppress=bool(found))

    matchers: list[Any] = shell.Completer.custom_matchers
    # Loaded again: with a desk of its own.
    matchers[:] = [other for other in matchers if getattr(other, "__name__", "") != "fpga_matcher"]
    matchers.append(fpga_matcher)
    policy = EVALUATION_POLICIES["limited"]
    assert isinstance(policy, SelectivePolicy)
    policy.allowed_getattr.update(_SAFE)
