"""What ``%load_ext jupyter_fpga`` registers: names, and no more; what they do is imported when they are first used.

The client takes 100 ms to import, and a notebook's first cell is to be done at once.
"""

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from IPython.core.completer import CompletionContext, SimpleMatcherResult, context_matcher
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class

if TYPE_CHECKING:
    from .desk import Desk
    from .magics import Actions

__all__ = ("FpgaMagics", "load")

_MATCHER = "fpga_matcher"


@magics_class
class FpgaMagics(Magics):
    """``%%fpga`` and ``%fpga``."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._shell = shell
        self._made: Actions | None = None

    @property
    def _actions(self) -> "Actions":
        if self._made is None:
            self._made = import_module("jupyter_fpga.notebook.magics").Actions(self._shell)
        return self._made

    @property
    def desk(self) -> "Desk":
        """What this kernel knows: its lab, its boards by name, its ``--lib`` cells."""
        return self._actions.desk

    @cell_magic("fpga")  # type: ignore[arg-type]  # IPython's decorators have no types
    def cell(self, line: str, cell: str) -> None:
        """``%%fpga``: see ``%fpga help``."""
        self._actions.cell(line, cell)

    @line_magic("fpga")  # type: ignore[arg-type]
    def line(self, line: str) -> Any:
        """``%fpga``: see ``%fpga help``."""
        return self._actions.line(line)


def load(shell: InteractiveShell) -> None:
    """Register the magics and their completion with ``shell``."""
    magics = FpgaMagics(shell)
    shell.register_magics(magics)

    @context_matcher()  # type: ignore[untyped-decorator]
    def fpga_matcher(context: CompletionContext) -> SimpleMatcherResult:
        if "jupyter_fpga.client" in sys.modules or "%fpga " in context.text_until_cursor:
            return import_module("jupyter_fpga.notebook.completion").completions(context, magics.desk)  # type: ignore[no-any-return]
        return SimpleMatcherResult(completions=[])

    matchers: list[Any] = shell.Completer.custom_matchers
    # Loaded again: with a desk of its own.
    matchers[:] = [other for other in matchers if getattr(other, "__name__", "") != _MATCHER]
    matchers.append(fpga_matcher)
    if hasattr(shell, "kernel"):
        # A terminal has no views.
        import_module("jupyter_fpga.notebook.formatters").install(shell)
