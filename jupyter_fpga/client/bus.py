"""The way to a board's bus that works: the live path, else durable jobs."""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from .errors import LabError
from .jobs import Lab, accepted
from .live import LiveLink, design_replaced
from .loop import loop
from .ports import Operation

__all__ = ("Bus",)

#: Transactions of one ``run`` job: the API's limit.
MAX_TRANSACTIONS = 1024
#: Words of one frame or transaction that the client sends; a longer access is split, which a bus can't tell.
MAX_WORDS = 4096


class Bus:
    """One board's bus. A register takes about a millisecond over the live path, and a job some tens of them."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._link: LiveLink | None = None
        self._opening = asyncio.Lock()

    async def run(self, fpga_id: int, design: str, operations: Sequence[Operation]) -> list[list[int]]:
        """Do operations in order: over the live path, or over ``run`` jobs where nothing lets a WebSocket pass.

        Parameters
        ----------
        fpga_id
            The board.
        design
            Digest of the manifest that the operations were made by.
        operations
            Accesses in the design's window.

        Raises
        ------
        LabError
            The first operation that failed; see :meth:`LiveLink.run` for the others.
        Conflict
            ``design_replaced``: the board runs another design by now, and nothing was done.
        """
        pieces, joins = _split(operations)
        try:
            link = await self.live(fpga_id, design)
            answers = await (link.run(pieces) if link is not None else self._run_jobs(fpga_id, design, pieces))
        except LabError as error:
            if error.code == "design_replaced":
                # The lab's words are for whoever speaks its API.
                raise design_replaced(fpga_id) from None
            raise
        return [[word for index in part for word in answers[index]] for part in joins]

    async def live(self, fpga_id: int, design: str) -> LiveLink | None:
        """The live path, opened when it isn't; ``None`` where something between lets no WebSocket pass."""
        async with self._opening:
            if self._link is not None and not self._link.closed:
                return self._link
            try:
                self._link = await LiveLink.open(self._lab.door, fpga_id, design=design)
            except LabError as error:
                # Whatever answered instead of the lab doesn't know WebSockets.
                if error.code == "not_a_lab":
                    return None
                raise
            return self._link

    async def _run_jobs(self, fpga_id: int, design: str, operations: Sequence[Operation]) -> list[list[int]]:
        path = f"fpga/{fpga_id}/run?{urlencode({'design': design})}"
        answers: list[list[int]] = []
        for start in range(0, len(operations), MAX_TRANSACTIONS):
            part = operations[start : start + MAX_TRANSACTIONS]
            transactions = [_transaction(operation) for operation in part]
            job = await accepted(self._lab, "run", path, {"transactions": transactions})
            await job.await_()
            words = iter((await job.aresult())["data"])
            answers += [[next(words) for _ in range(operation.count)] for operation in part]
        return answers

    def drop(self) -> None:
        """Close the live path; the next access opens another."""
        link, self._link = self._link, None
        if link is not None:
            loop.get().call_soon_threadsafe(link.close)


def _transaction(operation: Operation) -> dict[str, Any]:
    if operation.data is None:
        return {"op": "read", "address": operation.offset, "count": operation.count, "fixed_address": operation.fixed}
    return {"op": "write", "address": operation.offset, "data": list(operation.data), "fixed_address": operation.fixed}


def _split(operations: Sequence[Operation]) -> tuple[list[Operation], list[range]]:
    """Operations of at most :data:`MAX_WORDS` words, and which of them are parts of which given one."""
    pieces: list[Operation] = []
    joins: list[range] = []
    for operation in operations:
        first = len(pieces)
        total = operation.count if operation.data is None else len(operation.data)
        for start in range(0, total, MAX_WORDS):
            length = min(MAX_WORDS, total - start)
            offset = operation.offset if operation.fixed else operation.offset + 4 * start
            data = None if operation.data is None else operation.data[start : start + length]
            pieces.append(Operation(offset, data, length if data is None else 0, operation.fixed))
        joins.append(range(first, len(pieces)))
    return pieces, joins
