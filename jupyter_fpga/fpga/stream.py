"""The live path: reads and writes on a board that its owner holds, without job rows, counted and rate-limited."""

from collections.abc import Mapping
from typing import Any

from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.frames import Request, TextRequest
from jupyter_fpga.fpga.live import Live
from jupyter_fpga.fpga.sessions import check_design, may_use, may_watch
from jupyter_fpga.people import Person

__all__ = ("Stream", "open_stream")


class Stream(Live[Request | TextRequest, list[int] | Mapping[str, Any]]):
    """One stream of a board. Made by :func:`open_stream`.

    A :class:`Request` is answered with the words read (none for a write), a :class:`TextRequest` with its answer by
    name. An answer raises the ``LabError`` to be told: ``run_rejected`` and its like, ``bus_error`` …
    """

    async def _carry_out(self, request: Request | TextRequest) -> list[int] | Mapping[str, Any]:
        _, known = self._design()
        access = known.frame(request) if isinstance(request, Request) else known.access(request.transaction)
        if self.observes and access.operation.is_write:
            raise refusals.observers_only_read(self._unit.fpga_id)
        (words,) = await self._run((access.operation,))
        return words if isinstance(request, Request) else access.answer(words)


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
