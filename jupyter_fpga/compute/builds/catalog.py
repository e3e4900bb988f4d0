"""The kinds of boards that designs can be built for, as the workshop tells them."""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ("Catalog", "Programmer", "TargetInfo")

LITEX = "litex:"
"""Beginning of the names of LiteX's own platforms."""

_NO_SUCH_TARGET = 3
"""Exit code of the workshop's program when what it was asked for is at fault."""

_COMMAND = (sys.executable, "-P", "-m", "jupyter_fpga.gateware", "targets")


@dataclass(frozen=True)
class Programmer:
    """How openFPGALoader reaches a board.

    Parameters
    ----------
    board, cable
        Its names for them, as far as it must be told.
    arguments
        More of its arguments.
    volume
        Label of the USB volume that bitstreams are copied to, where openFPGALoader knows no programmer of the board.
    usb
        ``vendor:product`` of what may be plugged in, in hexadecimal.
    uart_interface
        Which interface of that USB device is the UART; None where the board has none of its own.
    sram, flash
        What it can write on a board as it is sold.
    to_sram
        What has to be changed on a board as it is sold before the FPGA's own memory can be written, as an order; empty
        where nothing helps, or has to be.
    """

    board: str | None = None
    cable: str | None = None
    arguments: tuple[str, ...] = ()
    volume: str | None = None
    usb: tuple[str, ...] = ()
    uart_interface: int | None = None
    sram: bool = True
    flash: bool = True
    to_sram: str = ""


@dataclass(frozen=True)
class TargetInfo:
    """A kind of board.

    Parameters
    ----------
    name, doc
        What people write as ``target``, and one line about it.
    simulated
        Boards of this kind are processes.
    clock_hz, min_clock_hz, max_clock_hz
        System clock when a build doesn't ask for another, and what it may ask for, Hz.
    implemented
        Designs are placed and routed for it; else its image is made from the netlist.
    toolchain
        The family of tools that make its images: ``simulated``, ``ice40``, ``ecp5``, ``gowin``.
    device
        What place and route is told of the device.
    serial
        It has a USB-UART of its own.
    programmer
        None for a simulated board.
    resources
        What a design's ports can be wired to: name → what it is.
    setup
        What a board as it is sold needs before the lab can use it; empty where it needs nothing.
    """

    name: str
    doc: str
    simulated: bool
    clock_hz: int
    min_clock_hz: int
    max_clock_hz: int
    toolchain: str
    implemented: bool = True
    device: Mapping[str, Any] | None = None
    serial: bool = True
    programmer: Programmer | None = None
    resources: Mapping[str, str] = field(default_factory=dict)
    setup: str = ""

    def to_json(self) -> dict[str, Any]:
        """What people are told of it."""
        names = ("name", "doc", "simulated", "clock_hz", "min_clock_hz", "max_clock_hz", "toolchain", "resources")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> "TargetInfo":
        """What the workshop wrote."""
        programmer = told["programmer"]
        if programmer is not None:
            tuples = {name: tuple(programmer[name]) for name in ("arguments", "usb")}
            programmer = Programmer(**{**programmer, **tuples})
        return cls(**{**told, "programmer": programmer})


class Catalog(dict[str, TargetInfo]):
    """Every target by name."""

    @classmethod
    async def load(cls) -> "Catalog":
        """Ask the workshop, which is a program of its own."""
        return cls.of(await asyncio.to_thread(_ask))

    async def find(self, name: str) -> TargetInfo | None:
        """The target of that name, one of LiteX's own platforms (``litex:NAME``) included; None if there is none that
        can be used. Then the stage ``elaborate`` says why."""
        if name.startswith(LITEX) and name not in self:
            told = await asyncio.to_thread(_ask, {"target": name})
            self.update(self.of(told))
        return self.get(name)

    @classmethod
    def of(cls, told: list[Mapping[str, Any]]) -> "Catalog":
        """Of what the workshop wrote."""
        return cls({target["name"]: TargetInfo.from_json(target) for target in told})


def _ask(request: Mapping[str, str] | None = None) -> list[Mapping[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        if request is not None:
            Path(folder, "request.json").write_text(json.dumps(dict(request)), encoding="utf-8")
        finished = subprocess.run(_COMMAND, cwd=folder, check=False, capture_output=True)
        if finished.returncode == _NO_SUCH_TARGET:
            return []
        finished.check_returncode()
        told: list[Mapping[str, Any]] = json.loads(Path(folder, "targets.json").read_bytes())
        return told
