"""The FPGA lab that lives in Jupyter: a notebook cell becomes a programmed board whose registers answer."""

from importlib import import_module
from typing import Any

__version__: str

__all__ = ("__version__", "connect", "load_ipython_extension")

# Everything below is imported when somebody asks for it: a kernel that imports this package needs neither a web server
# nor a database, a server no kernel's side, and a sandboxed build step nothing of all that.


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What ``jupyter server extension`` looks for."""
    return [{"module": "jupyter_fpga.app", "app": import_module("jupyter_fpga.app").JupyterFpga}]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext jupyter_fpga``: the magics ``%%fpga`` and ``%fpga``."""
    import_module("jupyter_fpga.notebook").load(shell)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        # Reading it takes 40 ms, and every step of a build starts a Python that has no use for it.
        return import_module("jupyter_fpga._version").__version__
    if name == "connect":
        return import_module("jupyter_fpga.client").connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
