"""The FPGA lab that lives in Jupyter: a notebook cell becomes a programmed board whose registers answer."""

from typing import Any

from ._version import __version__

__all__ = ("__version__", "connect", "load_ipython_extension")


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """What ``jupyter server extension`` looks for."""
    # Imported when a server asks: a kernel that imports this package needs neither tornado's server nor a database.
    from .app import JupyterFpga

    return [{"module": "jupyter_fpga.app", "app": JupyterFpga}]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext jupyter_fpga``."""
    from .notebook import load  # a server needs no kernel's side

    load(shell)


def __getattr__(name: str) -> Any:
    if name == "connect":
        # Imported when asked for: floors and workshop import this package, and need no HTTP client.
        from .client import connect

        return connect
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
