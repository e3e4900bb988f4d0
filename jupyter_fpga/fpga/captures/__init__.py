"""Looking inside a design that runs: signals around a trigger, on boards of every kind by one call."""

from .service import arm, captured, stop

__all__ = ("arm", "captured", "stop")
