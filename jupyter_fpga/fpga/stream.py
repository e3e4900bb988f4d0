"""The live path: reads and writes on a board that its owner holds, without job rows, counted and rate-limited."""

from collections.abc import Mapping
from typing import Any

from jupyter_fpga.errors import LabError
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.frames import LeftOut, Request, TextRequest
from jupyter_fpga.fpga.live import Live
from jupyter_fpga.fpga.registers import Access, RegisterMap
from jupyter_fpga.fpga.sessions import check_design, may_use, may_watch
from jupyter_fpga.fpga.wishbone import BusError, LinkError
from jupyter_fpga.people import Person

__all__ = ("Stream", "open_stream")

Asked = Request | tuple[Request, ...] | TextRequest
Answered = list[int] | tuple[list[int] | LabError, ...] | Mapping[str, Any]


class Stream(Live[Asked, Answered]):
    """One stream of a board. Made by :func:`open_stream`.

    A :class:`Request` is answered with the words read (none for a write), a :class:`TextRequest` with its answer by
    name. An answer raises the ``LabError`` to be told: ``run_rejected`` and its like, ``bus_error`` …

    Several requests of one message are one run on the bus, and answered with what became of each: its words, or its
    ``LabError``, which is a :class:`LeftOut` when another one of them is to blame. See :mod:`.frames`.
    """

    def _accesses(self, request: Asked) -> int:
        return len(request) if isinstance(request, tuple) else 1

    async def _carry_out(self, request: Asked) -> Answered:
        _, known = self._design()
        if isinstance(request, tuple):
            return await self._carry_out_all(known, request)
        if isinstance(request, Request):
            (words,) = await self._run((self._frame(known, request).operation,))
            return words
        access = self._allowed(known.access(request.transaction))
        (words,) = await self._run((access.operation,))
        return access.answer(words)

    async def _carry_out_all(
        self, known: RegisterMap, requests: tuple[Request, ...]
    ) -> tuple[list[int] | LabError, ...]:
        operations = []
        for number, request in enumerate(requests):
            try:
                operations.append(self._frame(known, request).operation)
            except LabError as error:
                others = LeftOut.before_the_board(number)
                return tuple(error if other == number else others for other in range(len(requests)))
        try:
            results = await self._do(operations)
        except LinkError as error:
            done = len(error.completed)
            self._count(done, operations[:done])
            return (*error.completed, *(_left(error, number) for number in range(done, len(requests))))
        self._count(len(results), operations)
        return tuple(results)

    def _frame(self, known: RegisterMap, request: Request) -> Access:
        return self._allowed(known.frame(request))

    def _allowed(self, access: Access) -> Access:
        if self.observes and access.operation.is_write:
            raise refusals.observers_only_read(self._unit.fpga_id)
        return access


def _left(error: LinkError, number: int) -> LabError:
    """What is said of frame ``number`` of a message, which has no result because of ``error``."""
    own = error.alone(number)
    if own is not None:
        return own
    # It is the first without a result that failed.
    failed = len(error.completed)
    if isinstance(error, BusError) and number in error.ran_on:
        return LeftOut(
            f"This was carried out all the same, being on the wire already when frame {failed} of its message failed; "
            "its result is not known."
        )
    return LeftOut(f"This was not carried out, because frame {failed} of its message failed.")


async def open_stream(
    floor: Floor, person: Person, fpga_id: int, *, observe: bool = False, design: str | None = None
) -> Stream:
    """A live path to a board for its holder, or for somebody whom the holder lets watch.

    Parameters
    ----------
    design
        Digest of the manifest by which the caller knows the registers. The stream ends when the board gets another
        design, so that nobody reads or writes by a layout that isn't there any more. ``None``: any design.

    Raises
    ------
    Conflict
        ``fpga_not_reserved``, ``session_ended``, ``design_replaced``.
    Forbidden
        ``not_session_holder``, ``observers_not_allowed``.
    """
    unit = floor.pool[fpga_id]
    if observe:
        may_watch(floor, unit, person)
    else:
        may_use(floor, unit, person)
    check_design(unit, design)
    stream = Stream(floor, unit, person, observe=observe, design=design, limit=floor.limit(person.name))
    unit.streams.add(stream)
    return stream
