"""Views that are alive in a notebook, and stay as pictures and text when it is saved.

Each view has its browser side in TypeScript (``labextension/src/widgets``), built into one ES module in ``static/``.
They are imported when they are first used: what a view is made of takes longer to import than the rest of the kernel's
side.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .bench import BenchView
    from .countdown import SessionCountdown
    from .log import LogView
    from .picker import BoardPicker
    from .registers import RegisterPanel
    from .waveform import WaveformView

__all__ = ("BenchView", "BoardPicker", "LogView", "RegisterPanel", "SessionCountdown", "WaveformView")

_MODULES = {
    "BenchView": "bench",
    "BoardPicker": "picker",
    "LogView": "log",
    "RegisterPanel": "registers",
    "SessionCountdown": "countdown",
    "WaveformView": "waveform",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
