"""The lab's own command set on the serial line, as gateware: frames that are checked, and executed only when whole.

Bytes, layouts and the reasons for them are described once, in :mod:`jupyter_fpga.fpga.wishbone.codec`, which speaks
the other side. In short: the host opens a session (SYNC); from then on each frame carries a sequence number and a
CRC-32 that starts from the session's number, its body goes to a block RAM, and is executed when the CRC is right and
the number is the next one. Whatever else comes (a wrong byte, a gap, a frame out of order) makes the decoder say so
once (a STATUS) and *halt*: it listens to nothing but a SYNC. A bus error halts it as well, so that nothing behind the
access that failed is executed before the host knows. Answers are kept in a ring and sent from there; a SYNC names the
position from which the host wants them again.

Everything takes its turn, one byte in about ten clock cycles: the line needs at least eighty for one.
"""

from typing import Any

from litex.gen import LiteXModule
from litex.soc.interconnect import stream, wishbone
from migen import FSM, READ_FIRST, Array, Cat, If, Memory, NextState, NextValue, Replicate, Signal

from jupyter_fpga.gateware._frame_parts import AnswerRing, Crc

__all__ = ("ANSWER_DEPTH", "FrameDecoder")

#: Bytes of answers that are kept, so that they can be sent again: the host has no more than these under way.
ANSWER_DEPTH = 2048

#: Bytes of a frame's body: one block RAM of 4 kbit.
_STORE_DEPTH = 512

#: A run of these, and then its complement, begins a SYNC.
_MARK = 0x5A
_MARKS = 3

#: Bits of a sequence number.
_SEQUENCE_BITS = 7


class FrameDecoder(LiteXModule):  # type: ignore[misc]
    """Frames in, accesses on the bus, answers out.

    Parameters
    ----------
    clock_hz
        For silences: about 3 ms in the middle of a frame end it, about 90 ms without a SYNC end the session's hold of
        the line.
    answer_depth
        Bytes of answers that are kept, a power of two of at most 16384.

    ``sink`` is what comes from the receive FIFO, with its ``level``; it is this decoder's while ``active`` is high.
    ``arrived`` is high when a byte comes from the line. ``error`` is high while the bus answers in the place of a slave
    that didn't.
    """

    def __init__(self, clock_hz: float, answer_depth: int = ANSWER_DEPTH) -> None:
        self.sink = stream.Endpoint([("data", 8)])
        self.level = Signal(12)
        self.arrived = Signal()
        self.error = Signal()
        self.bus = wishbone.Interface(data_width=32, address_width=32, addressing="word")
        self.crc = Crc()
        self.ring = AnswerRing(answer_depth)
        self.source = self.ring.source
        self.fsm = FSM(reset_state="IDLE")
        #: The line is this decoder's: a session is open, or what may become a SYNC has begun.
        self.active = Signal()
        #: Something is to be done, or may have to be, although no byte waits.
        self.busy = Signal()
        # A reset in the middle of frames must not make UARTBone take what is left of them for commands.
        self._locked = Signal(reset_less=True)
        self._session = Signal(32)
        self._known = Signal()
        self._tag = Signal(8, reset_less=True)
        self._next = Signal(_SEQUENCE_BITS)
        self._refused = Signal()
        self._failed = Signal()
        self._accesses = Signal(8, reset_less=True)
        self._sub = Signal(2, reset_less=True)
        self._length = Signal(8, reset_less=True)
        self._syncing = Signal()
        self._add_silence(clock_hz)
        self._add_store()
        self._add_receiver()
        self._add_sync()
        self._add_executor()
        self._add_sender()
        idle = self.fsm.ongoing("IDLE")
        self.comb += [self.active.eq(self._locked | ~idle), self.busy.eq(~idle | ~self.ring.empty)]

    @staticmethod
    def begins(byte: Any) -> Any:
        """Whether ``byte`` begins a SYNC: none of UARTBone's commands is like it."""
        return byte == _MARK

    def _add_silence(self, clock_hz: float) -> None:
        bits = max(10, int(0.1 * clock_hz).bit_length() - 1)
        # The simulator knows it by this name: it passes over cycles in which nothing happens but that this counts.
        silence = Signal(bits, name_override="lab_silence", reset_less=True)
        #: Nothing has come for a while; and for so long that nobody is there who speaks of frames.
        self._pause, self._desertion = Signal(), Signal()
        self._listening = Signal()
        self.comb += [self._pause.eq(silence[bits - 5 :] != 0), self._desertion.eq(silence == 2**bits - 1)]
        self.sync += If(~self._listening | self.arrived | (self.sink.valid & self.sink.ready), silence.eq(0)).Else(
            silence.eq(silence + 1)
        )

    def _add_store(self) -> None:
        store = Memory(8, _STORE_DEPTH)
        write_port = store.get_port(write_capable=True)
        read_port = store.get_port(mode=READ_FIRST)
        self.specials += store, write_port, read_port
        self._pointer = pointer = Signal(max=_STORE_DEPTH, reset_less=True)
        self._byte = read_port.dat_r
        self._store = Signal()
        self._take = Signal()
        self._rewind = Signal()
        #: The byte at the pointer is there: a block RAM shows it one cycle later.
        self._there = Signal()
        self._at_end = Signal()
        self.comb += [
            write_port.adr.eq(pointer),
            read_port.adr.eq(pointer),
            write_port.dat_w.eq(self.sink.data),
            write_port.we.eq(self._store),
            self._at_end.eq(pointer == Cat(0, self._length)),
        ]
        self.sync += [
            self._there.eq(~self._take & ~self._rewind & ~self._store),
            If(self._take | self._store, pointer.eq(pointer + 1)),
            If(self._rewind, pointer.eq(0)),
        ]

    def _keep(self, register: Any, value: Any) -> Any:
        """Have ``register`` take ``value`` in a state. ``NextValue`` would do, and take a gate for each bit."""
        strobe = Signal()
        self.sync += If(strobe, register.eq(value))
        return strobe.eq(1)

    # ---- in

    def _add_receiver(self) -> None:
        fsm, sink, crc = self.fsm, self.sink, self.crc
        marks = Signal(max=_MARKS + 1, reset_less=True)
        sequence = Signal(_SEQUENCE_BITS, reset_less=True)
        is_mark = Signal()
        # No command of UARTBone's, and a few others that nobody sends.
        is_foreign = Signal()
        took = Signal()
        self.comb += [
            is_mark.eq(sink.data == _MARK),
            is_foreign.eq(sink.data[3:] == 0),
            took.eq(sink.valid & sink.ready),
            crc.initial.eq(self._session),
            self._listening.eq(
                fsm.ongoing("HUNT") | fsm.ongoing("HOLD") | fsm.ongoing("LENGTH") | fsm.ongoing("LOAD")
                | fsm.ongoing("LOAD-CRC")
            ),
        ]  # fmt: skip
        give_up = If(self._locked, NextState("REFUSE")).Else(NextState("IDLE"))
        fsm.act(
            "IDLE",
            NextValue(marks, 0),
            self._rewind.eq(1),
            crc.load.eq(1),
            If(
                sink.valid,
                If(is_mark, NextState("HUNT"))
                .Elif(~self._locked, NextState("IDLE"))
                .Elif(sink.data[7], NextState("START"))
                .Elif(is_foreign, NextState("HOLD"))
                .Else(NextState("REFUSE")),
            ),
        )
        # A LiteX tool, after a lab that died without a word? Exactly one read command, and then silence, is answered.
        fsm.act(
            "HOLD",
            If(self.level > 6, NextState("HUNT")).Elif(
                self._pause,
                If((self.level == 6) & ~sink.data[0], NextValue(self._locked, 0), NextState("IDLE")).Else(
                    NextState("HUNT")
                ),
            ),
        )
        fsm.act(
            "HUNT",
            sink.ready.eq(1),
            crc.load.eq(1),
            crc.ones.eq(1),
            self._rewind.eq(1),
            self._keep(self._length, 4),
            NextValue(self._syncing, 1),
            If(
                sink.valid,
                If(is_mark, If(marks != _MARKS, NextValue(marks, marks + 1))).Else(
                    NextValue(marks, 0),
                    If((marks == _MARKS) & (sink.data == 0xFF ^ _MARK), NextState("LOAD")).Elif(
                        ~self._locked, NextState("IDLE")
                    ),
                ),
            ).Elif(
                self._desertion | (self._pause & ~self._locked),
                NextValue(self._locked, 0),
                NextState("IDLE"),
            ),
        )
        fsm.act(
            "START",
            sink.ready.eq(1),
            NextValue(self._syncing, 0),
            self._keep(sequence, sink.data),
            crc.start.eq(1),
            NextState("LENGTH"),
        )
        fsm.act(
            "LENGTH",
            sink.ready.eq(~crc.busy),
            self._keep(self._length, sink.data),
            crc.start.eq(took),
            If(took, NextState("LOAD")).Elif(self._pause, NextState("REFUSE")),
        )
        fsm.act(
            "LOAD",
            NextValue(self._sub, 0),
            If(self._at_end, NextState("LOAD-CRC")).Else(
                sink.ready.eq(~crc.busy),
                self._store.eq(took),
                crc.start.eq(took),
                If(~took & self._pause, give_up),
            ),
        )
        fsm.act(
            "LOAD-CRC",
            sink.ready.eq(~crc.busy),
            crc.start.eq(took),
            self._rewind.eq(1),
            If(took, NextValue(self._sub, self._sub + 1), If(self._sub == 3, NextState("CHECK"))).Elif(
                self._pause, give_up
            ),
        )
        self.comb += crc.data.eq(Array([self.ring.sink.data, sink.data])[self._listening | fsm.ongoing("START")])
        fsm.act(
            "CHECK",
            # Over the frame and its own CRC, it is nothing.
            If(
                ~crc.busy,
                crc.load.eq(1),
                If(
                    crc.value == 0,
                    If(self._syncing, NextState("SYNC"))
                    .Elif(sequence == self._next, NextState("SEQUENCE"))
                    .Else(NextState("REFUSE")),
                )
                .Elif(self._syncing, If(self._locked, NextState("HUNT")).Else(NextState("IDLE")))
                .Else(NextState("REFUSE")),
            ),
        )
        fsm.act("REFUSE", crc.load.eq(1), NextValue(self._refused, 1), NextState("FLAGS"))

    def _add_sync(self) -> None:
        """A SYNC that is whole: session (4), tag (1), position (2), and one byte that nobody looks at."""
        fsm, ring = self.fsm, self.ring
        high = Signal(7, reset_less=True)
        fsm.act(
            "SYNC",
            NextValue(self._known, 1),
            NextValue(self._refused, 0),
            NextValue(self._sub, 0),
            NextState("SESSION"),
        )
        fsm.act(
            "SESSION",
            If(
                self._there,
                self._take.eq(1),
                If(self._session[24:] != self._byte, NextValue(self._known, 0)),
                self._keep(self._session, Cat(self._byte, self._session[:24])),
                NextValue(self._sub, self._sub + 1),
                If(self._sub == 3, NextState("TAG")),
            ),
        )
        fsm.act(
            "TAG",
            self.crc.load.eq(1),
            NextValue(self._locked, self._session[31]),
            If(
                ~self._known | ~self._session[31],
                ring.clear.eq(1),
                NextValue(self._next, 0),
                NextValue(self._failed, 0),
            ),
            If(
                self._there,
                self._take.eq(1),
                self._keep(self._tag, self._byte),
                # The end of a session is not answered: whoever comes next must not find the answer.
                If(self._session[31], NextState("POSITION-HIGH")).Else(NextState("IDLE")),
            ),
        )
        fsm.act(
            "POSITION-HIGH",
            If(self._there, self._take.eq(1), self._keep(high, self._byte), NextState("POSITION-LOW")),
        )
        self.comb += ring.rewind_to.eq(Cat(self._byte[:7], high))
        fsm.act("POSITION-LOW", If(self._there, ring.rewind.eq(self._known), NextState("FLAGS")))

    # ---- the bus

    def _add_executor(self) -> None:
        fsm, bus = self.fsm, self.bus
        operation = Signal(4, reset_less=True)
        write, advance, scatter, page = (operation[bit] for bit in range(4))
        count = Signal(8, reset_less=True)
        offset = Signal(16, reset_less=True)
        upper = Signal(14, reset_less=True)
        data = self._data = Signal(32, reset_less=True)
        shift_data = Signal()
        take_data = Signal()
        self.sync += If(shift_data, data.eq(Cat(self._byte, data[:24]))).Elif(
            # Behind an access that failed nothing is executed; reads give ones, so that the answer has its length.
            take_data,
            data.eq(bus.dat_r | Replicate(self._failed, 32)),
        )
        got = self._there
        take = self._take
        fsm.act(
            "COMMAND",
            NextValue(self._sub, 0),
            If(self._at_end, NextState("OUTCOME")).Elif(
                got, take.eq(1), self._keep(operation, self._byte), NextState("COUNT")
            ),
        )
        fsm.act("COUNT", If(got, take.eq(1), self._keep(count, self._byte), NextState("OFFSET-HIGH")))
        shift = self._keep(offset, Cat(self._byte, offset[:8]))
        fsm.act("OFFSET-HIGH", If(got, take.eq(1), shift, NextState("OFFSET-LOW")))
        fsm.act(
            "OFFSET-LOW",
            If(
                got,
                take.eq(1),
                shift,
                If(page, self._keep(upper, Cat(self._byte, offset[:6])), NextState("COMMAND"))
                .Elif(write, NextState("DATA"))
                .Else(NextState("ACCESS")),
            ),
        )
        fsm.act(
            "DATA",
            If(
                got,
                take.eq(1),
                shift_data.eq(1),
                NextValue(self._sub, self._sub + 1),
                If(self._sub == 3, NextState("ACCESS")),
            ),
        )
        after = If(write, NextState("FOLLOWING")).Else(NextState("SEND"))
        self.comb += [
            bus.adr.eq(Cat(offset, upper)),
            bus.dat_w.eq(data),
            bus.we.eq(write),
            bus.sel.eq(0xF),
        ]
        fsm.act(
            "ACCESS",
            If(self._failed, take_data.eq(1), after).Else(
                bus.cyc.eq(1),
                bus.stb.eq(1),
                If(
                    bus.ack,
                    take_data.eq(~write),
                    NextValue(self._failed, self.error),
                    self._keep(self._accesses, self._accesses + 1),
                    after,
                ),
            ),
        )
        fsm.act(
            "SEND",
            self._put(data[24:]),
            If(
                self._sent,
                shift_data.eq(1),
                NextValue(self._sub, self._sub + 1),
                If(self._sub == 3, NextState("FOLLOWING")),
            ),
        )
        fsm.act(
            "FOLLOWING",
            self._keep(count, count - 1),
            self._keep(offset, offset + advance),
            If(count == 1, NextState("COMMAND"))
            .Elif(scatter, NextState("OFFSET-HIGH"))
            .Elif(write, NextState("DATA"))
            .Else(NextState("ACCESS")),
        )

    # ---- out

    @property
    def _sent(self) -> Any:
        return ~self.crc.busy

    def _put(self, byte: Any) -> list[Any]:
        """Put a byte into the ring and its CRC when that has done with the one before; it is ``_sent`` then."""
        return [
            self.ring.sink.data.eq(byte),
            self.ring.sink.valid.eq(~self.crc.busy),
            self.crc.start.eq(self._sent),
        ]

    def _say(self, state: str, byte: Any, following: str, *then: Any) -> None:
        self.fsm.act(state, *self._put(byte), If(self._sent, *then, NextState(following)))

    def _add_sender(self) -> None:
        crc = self.crc
        position = Signal(len(self.ring.position), reset_less=True)
        outcome = Signal(8)
        self.comb += outcome.eq(self._accesses & Replicate(self._failed, 8))
        # An answer.
        self._say("SEQUENCE", self._next, "COMMAND", self._keep(self._accesses, 0), NextValue(self._failed, 0))
        self._say(
            "OUTCOME", outcome, "CRC", self._keep(self._next, self._next + 1), NextValue(self._refused, self._failed)
        )
        # A STATUS.
        self._say(
            "FLAGS",
            Cat(self._refused, self._known, 0, 0, 0, 0, 0, 1),
            "STATUS-TAG",
            self._keep(position, self.ring.position),
        )
        self._say("STATUS-TAG", self._tag, "NEXT")
        self._say("NEXT", self._next, "STATUS-OUTCOME")
        self._say("STATUS-OUTCOME", outcome, "HIGH")
        self._say("HIGH", position[8:], "LOW")
        # A frame may have broken off in the middle of its own CRC.
        self._say("LOW", position[:8], "CRC", NextValue(self._sub, 0))
        # Both end with the CRC; that of what it is made of itself is nothing, so that it moves up by a byte each time.
        self.fsm.act(
            "CRC",
            *self._put(crc.value[:8]),
            If(
                self._sent,
                NextValue(self._sub, self._sub + 1),
                If(self._sub == 3, If(self._refused, NextState("HUNT")).Else(NextState("IDLE"))),
            ),
        )
