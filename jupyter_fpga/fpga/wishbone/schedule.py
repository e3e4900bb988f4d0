"""Whose turn it is on the wire: runs of operations, cut into commands, in turns between the users of one link."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from .errors import BusError, LinkLost, OutcomeUnknown
from .operation import Operation

__all__ = ("Chunk", "Fault", "Run", "Schedule", "User")

#: Bytes (requests and answers together) after which the next user's turn comes: 2.6 ms at 1 Mbaud.
_TURN_BYTES = 256

#: What a command takes besides its words, about: it is UARTBone's header.
_COMMAND_BYTES = 6
_WORD_BYTES = 4

#: Bits of a word address within a page: a command of frames doesn't go from one into the next.
_PAGE_WORDS = 1 << 16


class User:
    """One of those who share a link, with the runs that wait for it, in their order."""

    __slots__ = ("name", "runs")

    def __init__(self, name: str) -> None:
        self.name = name
        self.runs: deque[Run] = deque()


class Chunk:
    """An operation, or the part of it that fits one command."""

    __slots__ = ("address", "count", "fixed", "index", "last", "offset", "run", "values", "whole", "words")

    def __init__(
        self,
        run: "Run",
        index: int,
        offset: int,
        address: int,
        count: int,
        words: tuple[int, ...] | None,
        whole: tuple[int, ...] | None,
        fixed: bool,
        last: bool,
    ) -> None:
        self.run = run
        self.index = index
        #: Which word of the operation is its first.
        self.offset = offset
        self.address = address
        self.count = count
        self.words = words
        #: What ``words`` are a part of.
        self.whole = whole
        self.fixed = fixed
        self.last = last
        #: What a read was answered with; not to be believed before the transport says so.
        self.values: tuple[int, ...] = ()

    def touches(self, address: int) -> bool:
        """Whether the word at ``address`` is among those that this command reads or writes."""
        if self.fixed:
            return self.address == address
        return self.address <= address < self.address + _WORD_BYTES * self.count


class Fault:
    """A bus error of a run: which operation, where, and whether it must have been that one."""

    __slots__ = ("address", "certain", "index")

    def __init__(self, index: int, address: int, certain: bool) -> None:
        self.index, self.address, self.certain = index, address, certain


class Run:
    """Operations that one user wants done in their order.

    Parameters
    ----------
    done
        Gets the results of all, or the :class:`LinkError` that ended the run.
    on_done
        Called with the index and the result of each operation once it is known to be done.
    """

    __slots__ = (
        "_before",
        "_modified",
        "_next",
        "_offset",
        "_partial",
        "done",
        "fault",
        "on_done",
        "operations",
        "results",
        "sent",
        "unsettled",
        "user",
    )

    def __init__(
        self,
        user: User,
        operations: Sequence[Operation],
        done: "asyncio.Future[list[list[int]]]",
        on_done: Callable[[int, list[int]], None] | None = None,
    ) -> None:
        self.user = user
        self.operations = operations
        self.done = done
        self.on_done = on_done
        self.results: list[list[int]] = []
        self.fault: Fault | None = None
        #: Operations of which at least a part has been sent.
        self.sent = 0
        #: Commands that were sent and not yet settled by a check.
        self.unsettled = 0
        self._next = 0
        self._offset = 0
        self._partial: list[int] = []
        #: Of an operation with a mask: what was read, and then what is to be written.
        self._before: list[int] = []
        self._modified: tuple[int, ...] | None = None

    @property
    def exhausted(self) -> bool:
        """Nothing more is to be sent: all was, or the run has failed, or nobody waits for it any more."""
        return self._next == len(self.operations) or self.fault is not None or self.done.done()

    @property
    def blocked(self) -> bool:
        """Nothing can be sent just now: what a masked write leaves alone has been asked for and isn't known yet."""
        operation = self.operations[self._next]
        return operation.mask is not None and self._modified is None and self._offset == operation.count

    @property
    def in_doubt(self) -> range:
        """Operations that were sent and aren't known to be done."""
        known = len(self.results)
        return range(known, max(known, self.sent))

    def chunk(self, read_words: int, write_words: int) -> Chunk:
        """The next command to send, of at most so many words."""
        operation = self.operations[self._next]
        whole = operation.words if operation.mask is None else self._modified
        start = self._offset
        count = operation.count
        if count == 1:
            last = operation.mask is None or whole is not None
            return Chunk(self, self._next, 0, operation.address, 1, whole, whole, operation.fixed, last)
        count = min(count - start, read_words if whole is None else write_words)
        address = operation.address
        if not operation.fixed:
            address += _WORD_BYTES * start
            count = min(count, _PAGE_WORDS - (address // _WORD_BYTES) % _PAGE_WORDS)
        last = start + count == operation.count and not (operation.mask is not None and whole is None)
        words = None if whole is None else whole[start : start + count]
        return Chunk(self, self._next, start, address, count, words, whole, operation.fixed, last)

    def advance(self, chunk: Chunk) -> None:
        """``chunk`` is on its way."""
        self.unsettled += 1
        self.sent = chunk.index + 1
        if chunk.last:
            self._next += 1
            self._offset = 0
            self._modified = None
        else:
            self._offset += chunk.count

    def take_back(self, chunk: Chunk) -> None:
        """``chunk`` was sent, and the board hasn't carried it out, and won't: it is the next to send again.

        Of several, the first one is to be taken back last.
        """
        self.unsettled -= 1
        self.sent = chunk.index + (1 if chunk.offset else 0)
        self._next = chunk.index
        self._offset = chunk.offset
        if self.operations[chunk.index].mask is not None:
            self._modified = chunk.whole

    def blame(self, chunk: Chunk, address: int, certain: bool) -> None:
        """A bus error happened in ``chunk``. The earliest one counts."""
        if self.fault is None:
            self.fault = Fault(chunk.index, address, certain)

    def fail_on_bus(self, chunk: Chunk, address: int) -> None:
        """Nobody answered the access to ``address`` in ``chunk``, and nothing behind it has been carried out."""
        self.blame(chunk, address, True)
        self.sent = chunk.index + 1
        if not self.done.done():
            self.done.set_exception(self._bus_error(Fault(chunk.index, address, True)))

    def settle(self, chunk: Chunk) -> None:
        """``chunk`` is known to be done, and its values to be right. The last one ends the run."""
        self.unsettled -= 1
        if self.fault is None or chunk.index < self.fault.index:
            self._take(chunk)
        if self.done.done():
            return
        if self.fault is not None:
            if not self.unsettled:
                self.done.set_exception(self._bus_error(self.fault))
        elif len(self.results) == len(self.operations):
            self.done.set_result(self.results)

    def _take(self, chunk: Chunk) -> None:
        operation = self.operations[chunk.index]
        if operation.mask is not None and chunk.words is None:
            self._before.extend(chunk.values)
            if len(self._before) == operation.count:
                assert operation.words is not None
                bits = zip(self._before, operation.words, operation.mask, strict=True)
                self._modified = tuple(before & ~mask | word & mask for before, word, mask in bits)
                self._before = []
                self._offset = 0
            return
        self._partial.extend(chunk.values)
        if chunk.last:
            result, self._partial = self._partial, []
            self.results.append(result)
            self._tell(chunk.index, result)

    def _tell(self, index: int, result: list[int]) -> None:
        if self.on_done is None or self.done.done():
            return
        try:
            self.on_done(index, result)
        except Exception as error:
            # The listener's error is for whoever brought the listener; the link and its other users go on.
            self.done.set_exception(error)

    def _bus_error(self, fault: Fault) -> BusError:
        return BusError(
            fault.index,
            self.operations[fault.index],
            address=fault.address,
            certain=fault.certain,
            completed=self.results,
            ran_on=range(fault.index + 1, max(fault.index + 1, self.sent)),
        )

    def fail_unknown(self, error: type[OutcomeUnknown], reason: str) -> None:
        """End the run: its commands were on the wire when ``reason`` made it impossible to know what became of them."""
        if not self.done.done():
            total = len(self.operations)
            self.done.set_exception(error(reason, completed=self.results, in_doubt=self.in_doubt, total=total))

    def fail_lost(self, reason: str) -> None:
        """End the run: the board can't be reached any more."""
        if not self.done.done():
            total = len(self.operations)
            self.done.set_exception(LinkLost(reason, completed=self.results, in_doubt=self.in_doubt, total=total))


class Schedule:
    """The users that have something to send, in turns."""

    def __init__(self, *, read_words: int, write_words: int) -> None:
        self._read_words = read_words
        self._write_words = write_words
        self._ring: deque[User] = deque()
        self._spent = 0
        self._current: Chunk | None = None

    def add(self, run: Run) -> None:
        """Put ``run`` behind the other runs of its user."""
        if not run.user.runs:
            self._ring.append(run.user)
        run.user.runs.append(run)

    def put_back(self, runs: Sequence[Run]) -> None:
        """Some of what was sent of ``runs`` is to be sent again: in their order, before what hasn't been sent yet."""
        self._current = None
        for run in reversed(runs):
            user = run.user
            if run in user.runs:
                continue
            if not user.runs:
                self._ring.append(user)
            user.runs.appendleft(run)

    def current(self) -> Chunk | None:
        """The command whose turn it is, the same until it is :meth:`taken`; ``None`` when nothing is to be sent."""
        if self._current is not None:
            if not self._current.run.exhausted:
                return self._current
            self._current = None
        for _ in range(len(self._ring)):
            user = self._ring[0]
            while user.runs and user.runs[0].exhausted:
                user.runs.popleft()
            if not user.runs:
                self._ring.popleft()
                self._spent = 0
            elif user.runs[0].blocked:
                self._ring.rotate(-1)
                self._spent = 0
            else:
                self._current = user.runs[0].chunk(self._read_words, self._write_words)
                return self._current
        return None

    def taken(self) -> None:
        """The current command is on its way; a user who has had a turn's worth goes to the end of the line."""
        chunk, self._current = self._current, None
        assert chunk is not None
        chunk.run.advance(chunk)
        self._spent += _COMMAND_BYTES + _WORD_BYTES * chunk.count
        if self._spent >= _TURN_BYTES:
            self._spent = 0
            self._ring.rotate(-1)

    def clear(self) -> None:
        """Forget all runs."""
        for user in self._ring:
            user.runs.clear()
        self._ring.clear()
        self._current = None
