"""The kinds of boards that designs are built for, declared as data: no HDL library is imported here."""

from ._target import Resource, Target, Wire
from .simulated import SIMULATED

__all__ = ("TARGETS", "Resource", "Target", "Wire")

#: Every target by name.
TARGETS: dict[str, Target] = {target.name: target for target in (SIMULATED,)}
