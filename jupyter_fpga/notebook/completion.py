"""Tab: options and values of the magics, and attributes of board handles."""

from typing import Any

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

    def cell(self, _: Any, event: Any) -> list[str]:
        """``%%fpga …``."""
        words = event.text_until_cursor.split(" ")
        previous = words[-2] if len(words) > 2 else ""
        if previous in CELL.options() and CELL.options()[previous].nargs != 0:
            return self._values(previous)
        return [option for option in CELL.options() if option.startswith("--")]

    def line(self, _: Any, event: Any) -> list[str]:
        """``%fpga …``."""
        words = event.text_until_cursor.split(" ")
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
    hooks: Any = shell  # IPython gives this method no types
    hooks.set_hook("complete_command", completer.cell, str_key="%%fpga")
    hooks.set_hook("complete_command", completer.line, str_key="%fpga")
    policy = EVALUATION_POLICIES["limited"]
    assert isinstance(policy, SelectivePolicy)
    policy.allowed_getattr.update(_SAFE)
