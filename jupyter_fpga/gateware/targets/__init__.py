"""The kinds of boards that designs are built for, declared as data: no HDL library is imported here."""

import json
from pathlib import Path

from ._device import Device, Family
from ._target import Oscillator, Pads, Peripheral, Programmer, Resource, Serial, Target, Wire
from .icebreaker import ICEBREAKER
from .simulated import SIMULATED
from .tang_nano_9k import TANG_NANO_9K
from .ulx3s import ULX3S

__all__ = (
    "TARGETS",
    "Device",
    "Family",
    "Oscillator",
    "Pads",
    "Peripheral",
    "Programmer",
    "Resource",
    "Serial",
    "Target",
    "Wire",
    "run",
)

#: Every target by name.
TARGETS: dict[str, Target] = {target.name: target for target in (SIMULATED, ICEBREAKER, *ULX3S, TANG_NANO_9K)}


def run(work: Path) -> None:
    """The step ``targets``: write ``targets.json``, what the lab is told of every target, into the folder ``work``."""
    catalog = [target.to_json() for target in TARGETS.values()]
    (work / "targets.json").write_text(json.dumps(catalog, indent=2) + "\n", "utf-8")
