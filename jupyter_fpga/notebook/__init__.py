"""The kernel's side: ``%load_ext jupyter_fpga`` brings the magics ``%%fpga`` and ``%fpga``."""

from IPython.core.interactiveshell import InteractiveShell

from . import completion, formatters
from .magics import FpgaMagics

__all__ = ("FpgaMagics", "load")


def load(shell: InteractiveShell) -> None:
    """Register the magics and their completion with ``shell``."""
    magics = FpgaMagics(shell)
    shell.register_magics(magics)
    completion.install(shell, magics.desk)
    if hasattr(shell, "kernel"):
        formatters.install(shell)
