"""The link to one programmed board: reads and writes on its bus, many in flight, for several users at once."""

import asyncio
import math
import random as _random
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager

from . import proof
from .errors import LinkBusy, LinkLost, LinkTimeout, OutcomeUnknown
from .frames import FrameTransport
from .operation import Operation
from .pipeline import ControlAddresses
from .port import Port, Wire
from .resync import LinkTiming
from .schedule import Run, User
from .transport import OutOfStep, Transport, UartboneTransport

__all__ = ("LinkSession", "WishboneLink")


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
    """The Wishbone bus of one programmed board. Made inside a running loop; addresses are absolute.

    Parameters
    ----------
    wire
        The open serial line. The link closes it.
    baud, fifo_depth, clock_hz, control
        As the board's manifest says. ``fifo_depth`` is at least 128 bytes.
    answer_depth
        As well, for a board that speaks frames (:mod:`.codec`). 0 for one that speaks UARTBone only.
    bus_timeout_cycles
        Clock cycles after which the board's bus gives up on an access.
    timing
        Wall-clock times.
    fresh
        The board was powered up just now and nobody has talked to it yet, so that no silence is needed to begin.
    random
        Source of nonces and session numbers.
    on_lost
        Called once when the board can't be reached any more, whether anybody is waiting or not.

    Every operation ends as a result, :class:`BusError`, :class:`OutcomeUnknown` or :class:`LinkLost`, in bounded time.
    After garbage, lost bytes or a time-out the link finds its way back by itself. With frames, nothing is lost by that
    as long as the board is there and remembers; with UARTBone, what was on the wire fails.
    """

    def __init__(
        self,
        wire: Wire,
        *,
        baud: int,
        fifo_depth: int,
        clock_hz: int,
        control: ControlAddresses,
        answer_depth: int = 0,
        bus_timeout_cycles: int = 4096,
        timing: LinkTiming | None = None,
        fresh: bool = False,
        random: _random.Random | None = None,
        on_lost: Callable[[LinkLost], None] | None = None,
    ) -> None:
        self._control = control
        self._timing = timing or LinkTiming()
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._port = Port(wire, on_bytes=self._on_bytes, on_gone=self._lose)
        chance = random or _random.SystemRandom()
        self._transport: Transport
        if answer_depth:
            self._transport = FrameTransport(
                self._port,
                baud=baud,
                fifo_depth=fifo_depth,
                answer_depth=answer_depth,
                clock_hz=clock_hz,
                bus_timeout_cycles=bus_timeout_cycles,
                timing=self._timing,
                random=chance,
            )
        else:
            self._transport = UartboneTransport(
                self._port,
                baud=baud,
                fifo_depth=fifo_depth,
                clock_hz=clock_hz,
                control=control,
                bus_timeout_cycles=bus_timeout_cycles,
                timing=self._timing,
                random=chance,
            )
        self._schedule = self._transport.schedule
        self._in_step = False
        self._silent = not fresh
        self._finding: asyncio.Task[None] | None = None
        self._lost: LinkLost | None = None
        self._holder: LinkSession | None = None
        #: Whoever waits, in the order of their coming.
        self._runs: dict[Run, None] = {}
        self._own = LinkSession(self, "the lab")
        self._pump_called = False
        self._deadline = math.inf
        self._patience = math.inf
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
                await asyncio.wait({run.done for run in self._runs})
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
        """Find the board anew, whatever is going on. With UARTBone what is on the wire fails as
        :class:`OutcomeUnknown`.

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
        if self._lost is None:
            self._port.send(self._transport.farewell())
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
        run = Run(user, operations, done, on_done)
        self._runs[run] = None
        done.add_done_callback(lambda done: self._runs.pop(run))
        self._schedule.add(run)
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
        waited = self._transport.waiting
        with self._no_hang():
            self._port.send(self._transport.fill())
        if self._transport.waiting and not waited:
            self._progress()

    def _on_bytes(self, data: bytes) -> None:
        if not self._in_step:
            self._transport.overhear(data)
            return
        try:
            with self._no_hang():
                self._transport.receive(data)
        except OutOfStep as error:
            self._out_of_step(OutcomeUnknown, str(error))
            return
        self._progress()
        self._pump()

    # ---- time

    def _progress(self) -> None:
        """The board has moved: it gets its time anew."""
        transport = self._transport
        now = self._loop.time()
        self._deadline = now + self._timing.margin + self._timing.slowdown * transport.seconds_due
        self._patience = self._deadline if transport.patience is None else now + transport.patience
        if transport.waiting:
            self._set_timer()

    def _set_timer(self) -> None:
        at = min(self._deadline, self._patience) if self._in_step else self._deadline
        if self._timer is not None:
            # Most of the time it only moves on, which it does when it rings.
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = self._loop.call_at(at, self._tick)

    def _tick(self) -> None:
        self._timer = None
        if not self._transport.waiting:
            return
        now = self._loop.time()
        if now >= self._deadline:
            self._deadline = math.inf
            self._out_of_step(LinkTimeout, "The board didn't answer in time.")
        elif self._in_step and now >= self._patience:
            self._out_of_step(OutcomeUnknown, "The board didn't answer yet.")
        if self._deadline < math.inf:
            self._set_timer()

    # ---- trouble

    def _out_of_step(self, error: type[OutcomeUnknown], reason: str) -> None:
        """Fail what can't be known any more, and find the way back."""
        if self._lost is not None:
            return
        self._in_step = False
        self._silent = True
        self._port.discard_output()
        self._transport.leave(error, reason)
        self._find()

    def _find(self) -> None:
        if self._finding is None:
            self._finding = self._loop.create_task(self._find_board())
            self._finding.add_done_callback(self._found)

    async def _find_board(self) -> None:
        reason = await self._transport.find(silent=self._silent)
        if reason is not None:
            self._lose(reason)
            return
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
        for run in self._runs:
            run.fail_lost(reason)
        self._schedule.clear()
        if self._on_lost is not None:
            self._on_lost(self._lost)
