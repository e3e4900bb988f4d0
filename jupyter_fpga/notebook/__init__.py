"""The kernel's side: ``%load_ext jupyter_fpga`` brings the magics ``%%fpga`` and ``%fpga``."""

from .extension import FpgaMagics, load

__all__ = ("FpgaMagics", "load")
