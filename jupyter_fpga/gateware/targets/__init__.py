"""The kinds of boards that designs are built for, declared as data: no HDL library is imported here."""

import json
from pathlib import Path

from ._device import Device, Family
from ._find import find_target
from ._target import Oscillator, Pads, Peripheral, Programmer, Pull, Resource, Serial, Target, Wire
from .colorlight_i5 import COLORLIGHT_I5
from .ecp5_evn import ECP5_EVN
from .ice40_hx8k_b_evn import ICE40_HX8K_B_EVN
from .icebreaker import ICEBREAKER
from .icesugar import ICESUGAR
from .orangecrab import ORANGECRAB
from .simulated import SIMULATED
from .simulated_ice40 import SIMULATED_ICE40
from .tang_nano_9k import TANG_NANO_9K
from .tang_nano_20k import TANG_NANO_20K
from .ulx3s import ULX3S
from .upduino_v3 import UPDUINO_V3

__all__ = (
    "TARGETS",
    "Device",
    "Family",
    "Oscillator",
    "Pads",
    "Peripheral",
    "Programmer",
    "Pull",
    "Resource",
    "Serial",
    "Target",
    "Wire",
    "find_target",
    "run",
)

#: Every target by name.
TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        SIMULATED,
        SIMULATED_ICE40,
        ICEBREAKER,
        ICESUGAR,
        UPDUINO_V3,
        ICE40_HX8K_B_EVN,
        *ULX3S,
        ECP5_EVN,
        *ORANGECRAB,
        COLORLIGHT_I5,
        TANG_NANO_9K,
        TANG_NANO_20K,
    )
}


def run(work: Path) -> None:
    """The step ``targets``: write ``targets.json``, what the lab is told of every target, into the folder ``work``.

    With a ``request.json`` there, of its ``target`` only, which may be any that :func:`find_target` finds.

    Raises
    ------
    DesignError
        As :func:`find_target`.
    """
    request = work / "request.json"
    if request.exists():
        targets = [find_target(json.loads(request.read_text("utf-8"))["target"])]
    else:
        targets = list(TARGETS.values())
    catalog = [target.to_json() for target in targets]
    (work / "targets.json").write_text(json.dumps(catalog, indent=2) + "\n", "utf-8")
