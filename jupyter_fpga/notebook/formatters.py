"""What a cell shows whose result is a thing of the lab: the view that is alive, with the thing's own text and HTML.

Only in a kernel, and imported only when something is shown: a terminal has no views, and a kernel that only runs cells
has no use for them.
"""

from importlib import import_module
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from jupyter_fpga.client import BoardHandle, Registers
from jupyter_fpga.client.errors import LabError

__all__ = ("install",)

Bundle = tuple[dict[str, Any], dict[str, Any]]


def install(shell: InteractiveShell) -> None:
    """Show views in ``shell``."""
    formatter: Any = shell.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a kernel has one
    formatter.for_type(Registers, _registers)
    formatter.for_type(BoardHandle, _board)


def _shown(view: str, thing: Any) -> Bundle | None:
    bundle: Bundle | None = getattr(import_module("jupyter_fpga.notebook.widgets"), view)(thing)._repr_mimebundle_()
    return bundle


def _registers(registers: Registers, **_: Any) -> Bundle | None:
    board = registers._port
    if not isinstance(board, BoardHandle) or not _is_held(board):
        return None
    return _shown("RegisterPanel", board)


def _board(board: BoardHandle, **_: Any) -> Bundle | None:
    if not _is_held(board) or not board.manifest.target.startswith("simulated"):
        return None
    return _shown("BenchView", board)


def _is_held(board: BoardHandle) -> bool:
    """Whether there is something to see; showing a handle waits for nothing, and never fails."""
    try:
        return board.job.status == "complete" and board.held()
    except LabError:
        return False
