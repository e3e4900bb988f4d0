"""What a link needs of whatever speaks to the board, and the one that speaks UARTBone."""

from random import Random
from typing import Protocol

from . import uartbone
from .errors import OutcomeUnknown
from .pipeline import MIN_FIFO_DEPTH, ControlAddresses, OutOfStep, Pipeline, nonces
from .port import Port
from .resync import LinkTiming, Resynchronizer
from .schedule import Run, Schedule

__all__ = ("OutOfStep", "Transport", "UartboneTransport")

#: Words of one read command at most: half a kilobyte of answer, so that others' turns come soon.
_READ_WORDS = 128


class Transport(Protocol):
    """Runs in, bytes out; bytes in, results out. Knows what is under way, and how the board is found again."""

    schedule: Schedule
    """What there is to do."""

    @property
    def waiting(self) -> bool:
        """Whether answers are due."""
        ...

    @property
    def seconds_due(self) -> float:
        """Time that the wire and the bus may take for what is under way, as calculated."""
        ...

    @property
    def patience(self) -> float | None:
        """Seconds without an answer after which it is worth looking for the board; ``None`` if that is never free."""
        ...

    def unsettled(self) -> list[Run]:
        """Runs with operations that were sent and aren't known to be done, each once."""
        ...

    def fill(self) -> bytes:
        """What may be sent now."""
        ...

    def receive(self, data: bytes) -> None:
        """Take what came from a board that is in step.

        Raises
        ------
        OutOfStep
            It can't be what was asked for, or the board says itself that something is wrong.
        """
        ...

    def leave(self, error: type[OutcomeUnknown], reason: str) -> None:
        """The board is out of step, for ``reason``. What can't be known any more fails."""
        ...

    def overhear(self, data: bytes) -> None:
        """Take what came while the board is looked for."""
        ...

    async def find(self, *, silent: bool) -> str | None:
        """Look for the board until it is in step; returns the reason if it isn't found.

        Parameters
        ----------
        silent
            Something else may have talked to it: be silent first, so that the board drops what it is in the middle of.
        """
        ...

    def farewell(self) -> bytes:
        """What to leave the board with."""
        ...


class UartboneTransport:
    """UARTBone's commands, which nothing checks: see :mod:`.pipeline` and :mod:`.resync`. See :class:`Transport`."""

    patience = None

    def __init__(
        self,
        port: Port,
        *,
        baud: int,
        fifo_depth: int,
        clock_hz: int,
        control: ControlAddresses,
        bus_timeout_cycles: int,
        timing: LinkTiming,
        random: Random,
    ) -> None:
        if fifo_depth < MIN_FIFO_DEPTH:
            raise ValueError(f"The link needs a receive FIFO of at least {MIN_FIFO_DEPTH} bytes, not {fifo_depth}.")
        self._baud = baud
        self._word_seconds = bus_timeout_cycles / clock_hz
        nonce = nonces(random)
        burst = uartbone.burst_words(baud=baud, clock_hz=clock_hz, bus_timeout_cycles=bus_timeout_cycles)
        # A write of a quarter FIFO at most, so that the next is on the wire while this one's check comes back.
        self.schedule = Schedule(
            read_words=min(burst, _READ_WORDS),
            write_words=min(burst, (fifo_depth // 4 - uartbone.HEADER_BYTES) // uartbone.WORD_BYTES),
        )
        self._pipeline = Pipeline(fifo_depth=fifo_depth, control=control, nonce=nonce)
        self._resync = Resynchronizer(port, control, nonce, timing)
        self.unsettled = self._pipeline.unsettled
        self.receive = self._pipeline.receive
        self.overhear = self._resync.received

    @property
    def waiting(self) -> bool:
        return self._pipeline.waiting

    @property
    def seconds_due(self) -> float:
        there, back = self._pipeline.bytes_due
        return uartbone.wire_seconds(there + back, self._baud) + self._pipeline.words_due * self._word_seconds

    def fill(self) -> bytes:
        return self._pipeline.fill(self.schedule)

    def leave(self, error: type[OutcomeUnknown], reason: str) -> None:
        unsettled = self._pipeline.unsettled()
        self._pipeline.reset(nonce=0, bus_errors=0)
        for run in unsettled:
            run.fail_unknown(error, reason)

    async def find(self, *, silent: bool) -> str | None:
        synced = await self._resync.find(silent=silent)
        if isinstance(synced, str):
            return synced
        self._pipeline.reset(nonce=synced.nonce, bus_errors=synced.bus_errors)
        return None

    def farewell(self) -> bytes:
        return b""
