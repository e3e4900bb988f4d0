"""The top that a vendor's toolchain gets: ``lab_top`` between signals that are requested from LiteX's platform."""

from typing import Any

from litex.build.generic_platform import IOStandard, Pins
from litex.build.io import DifferentialInput
from migen import Cat, ClockDomain, Instance, Module, Signal

from jupyter_fpga.gateware.targets import Pads
from jupyter_fpga.gateware.targets._litex import Board, Reference

__all__ = ("top_of",)


def top_of(board: Board) -> Any:
    """A Migen module around ``lab_top``, whose pins are the platform's own resources."""
    top = _Top(board)
    ports: dict[str, Any] = {"i_pad_clk": top.clock()}
    for port, prefix in (("serial_rx", "i"), ("serial_tx", "o")):
        ports[f"{prefix}_pad_{port}"] = top.signal(board.references[port][0])
    for pads in board.target.pads():
        if pads.direction == "io":
            ports[f"io_pad_{pads.port}"] = top.free(pads)
        else:
            bits = [top.signal(reference) for reference in board.references[pads.port]]
            ports[f"{pads.direction}_pad_{pads.port}"] = bits[0] if len(bits) == 1 else Cat(*bits)
    top.specials += Instance("lab_top", **ports)
    return top


class _Top(Module):  # type: ignore[misc]
    def __init__(self, board: Board) -> None:
        self._board = board
        self._requested: dict[tuple[str, int], Any] = {}

    def _request(self, reference: Reference) -> Any:
        where = reference.name, reference.number
        if where not in self._requested:
            self._requested[where] = self._board.platform.request(*where)
        return self._requested[where]

    def signal(self, reference: Reference) -> Any:
        """A single bit of what the platform has."""
        signal = self._request(reference)
        if reference.part is not None:
            signal = getattr(signal, reference.part)
        return signal if reference.bit is None else signal[reference.bit]

    def clock(self) -> Any:
        """The oscillator's signal; out of its buffer, where it comes as a pair."""
        (reference,) = self._board.references["clk"]
        clock = self.signal(reference)
        if reference.part == "p":
            pair, clock = self._request(reference), Signal()
            self.specials += DifferentialInput(pair.p, pair.n, clock)
        # A module without a clock domain would be given one, with the oscillator a second time.
        self.clock_domains.cd_sys = ClockDomain(reset_less=True)
        self.comb += self.cd_sys.clk.eq(clock)
        return clock

    def free(self, pads: Pads) -> Any:
        """Pins that the platform has on a connector only."""
        platform = self._board.platform
        serial = self._board.target.serial
        assert serial is not None
        # The platform doesn't say; on nearly all boards connectors have the voltage that the serial line has.
        standard = [IOStandard(serial.io_standard)] if serial.io_standard else []
        platform.add_extension([(f"lab_{pads.port}", 0, Pins(" ".join(pads.pins)), *standard)])
        return platform.request(f"lab_{pads.port}")
