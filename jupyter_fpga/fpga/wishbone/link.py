"""The link to one programmed board: reads and writes on its bus, many in flight, for several users at once."""

import asyncio
import random as _random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from . import proof, uartbone
from .errors import LinkBusy, LinkLost, LinkTimeout, OutcomeUnknown
from .operation import Operation
from .pipeline import MIN_FIFO_DEPTH, ControlAddresses, OutOfStep, Pipeline, nonces
from .port import Port, Wire
from .resync import LinkTiming, Resynchronizer
from .schedule import Run, Schedule, User

__all__ = ("LinkSession", "WishboneLink")

#: Words of one read command at most: half a kilobyte of answer, so that others' turns come soon.
_READ_WORDS = 128


class LinkSession:
    """One user's way onto a link. What one user asks for is done in order; users take turns.

    Made by :meth:`WishboneLink.session` and :meth:`WishboneLink.exclusive`. All methods raise what
    :meth:`WishboneLink.run` raises.
    """

    def __init__(self, link: "WishboneLink", name: str) -> None:
        self._link = link
        self._user = User(name)

    @property
    def name(self) -> str:
        """Who this is, for messages."""
        return self._user.name

    async def read(self, address: int, count: int = 1, *, fixed: bool = False) -> list[int]:
        """The ``count`` words at absolute byte address ``address`` (all from the one address when ``fixed``)."""
        (words,) = await self.run((Operation.read(address, count, fixed=fixed),))
        return words

    async def write(self, address: int, words: Sequence[int], *, fixed: bool = False) -> None:
        """Write ``words`` to absolute byte address ``address`` (all to the one address when ``fixed``)."""
        await self.run((Operation.write(address, words, fixed=fixed),))

    async def run(
        self, operations: Sequence[Operation], *, on_done: Callable[[int, list[int]], None] | None = None
    ) -> list[list[int]]:
        """Do ``operations`` in their order; see :meth:`WishboneLink.run`."""
        return await self._link._run(self._user, operations, on_done)


class WishboneLink:
    """The Wishbone bus of one programmed board, by UARTBone. Made inside a running loop; addresses are absolute.

    Parameters
    ----------
    wire
        The open serial line. The link closes it.
    baud, fifo_depth, clock_hz, control
        As the board's manifest says. ``fifo_depth`` is at least 128 bytes.
    bus_timeout_cycles
        Clock cycles after which the board's bus gives up on an access.
    timing
        Wall-clock times.
    fresh
        The board was powered up just now and nobody has talked to it yet, so that no silence is needed to begin.
    random
        Source of nonces.
    on_lost
        Called once when the board can't be reached any more, whether anybody is waiting or not.

    Every operation ends as a result, :class:`BusError`, :class:`OutcomeUnknown` or :class:`LinkLost`, in bounded time.
    After garbage, lost bytes or a time-out the link fails what was on the wire and finds its way back by itself.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        baud: int,
        fifo_depth: int,
        clock_hz: int,
        control: ControlAddresses,
        bus_timeout_cycles: int = 4096,
        timing: LinkTiming | None = None,
        fresh: bool = False,
        random: _random.Random | None = None,
        on_lost: Callable[[LinkLost], None] | None = None,
    ) -> None:
        if fifo_depth < MIN_FIFO_DEPTH:
            raise ValueError(f"The link needs a receive FIFO of at least {MIN_FIFO_DEPTH} bytes, not {fifo_depth}.")
        self._baud = baud
        self._word_seconds = bus_timeout_cycles / clock_hz
        self._control = control
        self._timing = timing or LinkTiming()
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        nonce = nonces(random or _random.SystemRandom())
        burst = uartbone.burst_words(baud=baud, clock_hz=clock_hz, bus_timeout_cycles=bus_timeout_cycles)
        # A write of a quarter FIFO at most, so that the next is on the wire while this one's check comes back.
        self._schedule = Schedule(
            read_words=min(burst, _READ_WORDS),
            write_words=min(burst, (fifo_depth // 4 - uartbone.HEADER_BYTES) // uartbone.WORD_BYTES),
        )
        self._pipeline = Pipeline(fifo_depth=fifo_depth, control=control, nonce=nonce)
        self._port = Port(wire, on_bytes=self._on_bytes, on_gone=self._lose)
        self._resync = Resynchronizer(self._port, control, nonce, self._timing)
        self._in_step = False
        self._silent = not fresh
        self._finding: asyncio.Task[None] | None = None
        self._lost: LinkLost | None = None
        self._holder: LinkSession | None = None
        self._runs: set[asyncio.Future[list[list[int]]]] = set()
        self._own = LinkSession(self, "the lab")
        self._pump_called = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    # ---- for everybody

    @property
    def lost(self) -> LinkLost | None:
        """Why the board can't be reached any more, or ``None``."""
        return self._lost

    async def read(self, address: int, count: int = 1, *, fixed: bool = False) -> list[int]:
        """The ``count`` words at absolute byte address ``address`` (all from the one address when ``fixed``)."""
        return await self._own.read(address, count, fixed=fixed)

    async def write(self, address: int, words: Sequence[int], *, fixed: bool = False) -> None:
        """Write ``words`` to absolute byte address ``address`` (all to the one address when ``fixed``)."""
        await self._own.write(address, words, fixed=fixed)

    async def run(
        self, operations: Sequence[Operation], *, on_done: Callable[[int, list[int]], None] | None = None
    ) -> list[list[int]]:
        """Do ``operations`` in their order, as many at a time as the wire takes.

        Parameters
        ----------
        on_done
            Called with index and result of each operation as soon as it is known to be done. What it raises ends
            the run.

        Returns
        -------
        list
            One list of words for each operation, empty for a write.

        Raises
        ------
        BusError
            Nobody on the bus answered one of them. Those behind it that were on the wire have been done as well.
        OutcomeUnknown
            Something went wrong on the wire (:class:`LinkTimeout`: no answer came).
        LinkLost
            The board can't be reached any more.
        LinkBusy
            Somebody holds the link for themselves; nothing was sent.

        Cancelling it stops what hasn't been sent; what has been will be done by the board all the same.
        """
        return await self._own.run(operations, on_done=on_done)

    def session(self, name: str) -> LinkSession:
        """A way of its own for one user, who takes turns with the others.

        Parameters
        ----------
        name
            Who it is, as in "held exclusively for …".
        """
        return LinkSession(self, name)

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[LinkSession]:
        """Hold the link alone. What others have asked for is finished first; what they ask from now on is refused.

        Raises
        ------
        LinkBusy
            Somebody else holds it already.
        """
        if self._holder is not None:
            raise LinkBusy(self._holder.name)
        self._holder = holder = LinkSession(self, name)
        try:
            if self._runs:
                await asyncio.wait(set(self._runs))
            yield holder
        finally:
            self._holder = None

    async def identify(self) -> str:
        """The identifier that the programmed design carries.

        Raises
        ------
        ProofFailed
            What is there is not a text. Else as :meth:`run`.
        """
        return await proof.identify(self._own, self._control)

    async def prove(self, identifier: str) -> None:
        """Make sure that the board is in step, is programmed with the design that carries ``identifier``, and moves
        every bit of a word both ways.

        Raises
        ------
        ProofFailed
            It answers, but not so. Else as :meth:`run`.
        """
        await proof.prove(self._own, self._control, identifier)

    async def resync(self) -> None:
        """Find the board anew, whatever is going on. What is on the wire fails as :class:`OutcomeUnknown`.

        Raises
        ------
        LinkLost
            It can't be found.
        """
        self._out_of_step(OutcomeUnknown, "The link was resynchronised on request.")
        if self._finding is not None:
            await asyncio.wait({self._finding})
        if self._lost is not None:
            raise LinkLost(self._lost.reason)

    def close(self) -> None:
        """Leave the board alone. Whoever waits gets :class:`LinkLost`. Can be called again."""
        self._on_lost = None
        self._lose("it was closed by the lab.")

    # ---- work

    async def _run(
        self, user: User, operations: Sequence[Operation], on_done: Callable[[int, list[int]], None] | None
    ) -> list[list[int]]:
        if self._holder is not None and self._holder._user is not user:
            raise LinkBusy(self._holder.name)
        if self._lost is not None:
            raise LinkLost(self._lost.reason)
        if not operations:
            return []
        done: asyncio.Future[list[list[int]]] = self._loop.create_future()
        self._runs.add(done)
        done.add_done_callback(self._runs.discard)
        self._schedule.add(Run(user, operations, done, on_done))
        # Not at once: who else asks for something in this turn of the loop shares a batch.
        if not self._pump_called:
            self._pump_called = True
            self._loop.call_soon(self._pump)
        return await done

    def _pump(self) -> None:
        """Send what may be sent."""
        self._pump_called = False
        if self._lost is not None:
            return
        if not self._in_step:
            self._find()
            return
        waited = self._pipeline.waiting
        with self._no_hang():
            self._port.send(self._pipeline.fill(self._schedule))
        if self._pipeline.waiting and not waited:
            self._progress()

    def _on_bytes(self, data: bytes) -> None:
        if not self._in_step:
            self._resync.received(data)
            return
        try:
            with self._no_hang():
                self._pipeline.receive(data)
        except OutOfStep as error:
            self._out_of_step(OutcomeUnknown, str(error))
            return
        self._progress()
        self._pump()

    # ---- time

    def _progress(self) -> None:
        """The board has moved: it gets its time anew."""
        there, back = self._pipeline.bytes_due
        calculated = uartbone.wire_seconds(there + back, self._baud) + self._pipeline.words_due * self._word_seconds
        self._deadline = self._loop.time() + self._timing.margin + self._timing.slowdown * calculated
        if self._timer is None and self._pipeline.waiting:
            self._timer = self._loop.call_at(self._deadline, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._in_step or not self._pipeline.waiting:
            return
        if self._loop.time() < self._deadline:
            self._timer = self._loop.call_at(self._deadline, self._tick)
            return
        self._out_of_step(LinkTimeout, "The board didn't answer in time.")

    # ---- trouble

    def _out_of_step(self, error: type[OutcomeUnknown], reason: str) -> None:
        """Fail what is on the wire, and find the way back."""
        if self._lost is not None:
            return
        self._in_step = False
        self._silent = True
        self._port.discard_output()
        unsettled = self._pipeline.unsettled()
        self._pipeline.reset(nonce=0, bus_errors=0)
        for run in unsettled:
            run.fail_unknown(error, reason)
        self._find()

    def _find(self) -> None:
        if self._finding is None:
            self._finding = self._loop.create_task(self._find_board())
            self._finding.add_done_callback(self._found)

    async def _find_board(self) -> None:
        synced = await self._resync.find(silent=self._silent)
        if isinstance(synced, str):
            self._lose(synced)
            return
        self._pipeline.reset(nonce=synced.nonce, bus_errors=synced.bus_errors)
        self._in_step = True

    def _found(self, task: "asyncio.Task[None]") -> None:
        self._finding = None
        if not task.cancelled():
            with self._no_hang():
                task.result()
            self._pump()

    @contextmanager
    def _no_hang(self) -> Iterator[None]:
        """Nobody may wait for ever, not even for a mistake of ours."""
        try:
            yield
        except OutOfStep:
            raise
        except Exception as error:
            self._lose(f"the lab made a mistake ({error!r}).")
            raise

    def _lose(self, reason: str) -> None:
        if self._lost is not None:
            return
        self._lost = LinkLost(reason)
        self._in_step = False
        self._port.close()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._finding is not None and self._finding is not asyncio.current_task():
            self._finding.cancel()
        for run in (*self._pipeline.unsettled(), *self._schedule.waiting()):
            run.fail_lost(reason)
        self._schedule.clear()
        if self._on_lost is not None:
            self._on_lost(self._lost)
