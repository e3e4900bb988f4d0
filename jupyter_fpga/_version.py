"""The version, as the package was installed: its one source is ``labextension/package.json``."""

from importlib.metadata import version

__all__ = ("__version__",)

__version__ = version("jupyter-fpga")
