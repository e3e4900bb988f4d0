"""The FPGA lab that lives in Jupyter: a notebook cell becomes a programmed board whose registers answer."""

from ._version import __version__

__all__ = ("__version__",)
