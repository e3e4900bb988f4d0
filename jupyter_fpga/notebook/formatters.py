"""What a cell shows whose result is a thing of the lab: the view that is alive, with the thing's own text and HTML.

Only in a kernel, and imported only when something is shown: a terminal has no views, and a kernel that only runs cells
has no use for them.
"""

from importlib import import_module
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from jupyter_fpga.client import BoardHandle, Registers

__all__ = ("install",)

Bundle = tuple[dict[str, Any], dict[str, Any]]


def install(shell: InteractiveShell) -> None:
    """Show views in ``shell``."""
    formatter: Any = shell.display_formatter.mimebundle_formatter  # type: ignore[union-attr]  # a kernel has one
    formatter.for_type(Registers, _registers)


def _widgets() -> Any:
    return import_module("jupyter_fpga.notebook.widgets")


def _registers(registers: Registers, **_: Any) -> Bundle | None:
    board = registers._port
    return _widgets().RegisterPanel(board)._repr_mimebundle_() if isinstance(board, BoardHandle) else None
