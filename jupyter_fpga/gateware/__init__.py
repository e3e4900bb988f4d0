"""What a design becomes: elaborated, synthesized, and compiled. Runs inside the sandbox.

:class:`LabSoC` is here for designs that are whole SoCs; LiteX is imported when it is first asked for.
"""

from typing import Any

__all__ = ("LabSoC",)


def __getattr__(name: str) -> Any:
    if name == "LabSoC":
        from .labsoc import LabSoC

        return LabSoC
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
