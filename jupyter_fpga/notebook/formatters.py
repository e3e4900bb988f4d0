"""What a cell shows whose result is a thing of the lab: the view that is alive, with the thing's own text and HTML.

Only in a kernel, and imported only when something is shown: a terminal has no views, and a kernel that only runs cells
has no use for them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from IPython.core.interactiveshell import InteractiveShell

if TYPE_CHECKING:
    from jupyter_fpga.client import BoardHandle, Registers
    from jupyter_fpga.waveform import Waveform

__all__ = ("install",)

Bundle = tuple[dict[str, Any], dict[str, Any]]


def install(shell: InteractiveShell) -> None:
    """Show views in ``shell``."""
    formatter: Any = shell.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a kernel has one
    formatter.for_type_by_name("jupyter_fpga.client.registers", "Registers", _registers)
    formatter.for_type_by_name("jupyter_fpga.client.boards", "BoardHandle", _board)
    formatter.for_type_by_name("jupyter_fpga.waveform.waveform", "Waveform", _waveform)


def _registers(registers: "Registers", **_: Any) -> Bundle | None:
    board: Any = registers._port
    return _shown("RegisterPanel", board) if _is_held(board) else None


def _board(board: "BoardHandle", **_: Any) -> Bundle | None:
    if not _is_held(board) or not board.manifest.target.startswith("simulated"):
        return None
    return _shown("BenchView", board)


def _waveform(waveform: "Waveform", **_: Any) -> Bundle | None:
    return _shown("WaveformView", waveform)


def _is_held(board: "BoardHandle") -> bool:
    """Whether there is something to see; showing a handle waits for nothing, and never fails."""
    from jupyter_fpga.client.errors import LabError

    try:
        return board.job.status == "complete" and board.held()
    except LabError:
        return False


def _shown(view: str, thing: Any) -> Bundle | None:
    bundle: Bundle | None = getattr(import_module("jupyter_fpga.notebook.widgets"), view)(thing)._repr_mimebundle_()
    return bundle
