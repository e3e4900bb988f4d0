"""Parts of the frame decoder (:mod:`.framing`): its CRC, and the memory of what it has answered."""

from litex.gen import LiteXModule
from litex.soc.interconnect import stream
from migen import READ_FIRST, Cat, If, Memory, Replicate, Signal

__all__ = ("AnswerRing", "Crc")

#: CRC-32 of IEEE 802.3, least significant bit first, as zlib has it.
_POLYNOMIAL = 0xEDB8_8320


class Crc(LiteXModule):  # type: ignore[misc]
    """CRC-32, one bit in a cycle. ``start`` takes ``data``; nothing may be started while ``busy``.

    ``load`` begins anew with ``initial``, or with ``ones``.
    """

    def __init__(self) -> None:
        self.start = Signal()
        self.data = Signal(8)
        self.busy = Signal()
        self.load = Signal()
        self.ones = Signal()
        self.initial = Signal(32)
        self.value = Signal(32, reset_less=True)
        byte = Signal(8, reset_less=True)
        left = Signal(4)
        feedback = Signal()
        self.comb += [self.busy.eq(left != 0), feedback.eq(self.value[0] ^ byte[0])]
        shifted = Cat(self.value[1:], 0)
        self.sync += [
            If(self.start, byte.eq(self.data), left.eq(8)),
            If(self.busy, left.eq(left - 1), byte.eq(byte[1:])),
            If(self.load, left.eq(0), self.value.eq(self.initial | Replicate(self.ones, 32))).Elif(
                self.busy, self.value.eq(shifted ^ (Replicate(feedback, 32) & _POLYNOMIAL))
            ),
        ]


class AnswerRing(LiteXModule):  # type: ignore[misc]
    """Answers on their way out, which can be sent again.

    ``source`` gives the bytes from ``rewind_to`` on after a ``rewind``, or from where it was. There is always room: the
    host asks for no more than fits, and what it would lose otherwise is its own.
    """

    def __init__(self, depth: int) -> None:
        self.sink = sink = stream.Endpoint([("data", 8)])
        self.source = source = stream.Endpoint([("data", 8)])
        self.clear = Signal()
        self.rewind = Signal()
        self.rewind_to = Signal(max=depth)
        self.position = written = Signal(max=depth)
        self.empty = Signal()
        read = Signal(max=depth)
        # A block RAM shows what is at an address one cycle after it.
        settled = Signal()
        memory = Memory(8, depth)
        write_port = memory.get_port(write_capable=True)
        read_port = memory.get_port(mode=READ_FIRST)
        self.specials += memory, write_port, read_port
        self.comb += [
            sink.ready.eq(1),
            write_port.adr.eq(written),
            write_port.dat_w.eq(sink.data),
            write_port.we.eq(sink.valid),
            read_port.adr.eq(read),
            self.empty.eq(read == written),
            source.data.eq(read_port.dat_r),
            source.valid.eq(settled & ~self.empty),
        ]
        self.sync += [
            settled.eq(~self.empty & ~(source.valid & source.ready) & ~self.rewind & ~self.clear),
            If(write_port.we, written.eq(written + 1)),
            If(source.valid & source.ready, read.eq(read + 1)),
            If(self.rewind, read.eq(self.rewind_to)),
            If(self.clear, read.eq(0), written.eq(0)),
        ]
