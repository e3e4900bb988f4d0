"""The live path of LiteX's tools, and the port on the lab's machine that leads to it."""

import asyncio
import logging

from jupyter_fpga.errors import LabError
from jupyter_fpga.etherbone import PROBE_ANSWER, Listener, decode, encode_answer
from jupyter_fpga.fpga import refusals
from jupyter_fpga.fpga.floor import Floor
from jupyter_fpga.fpga.live import Live
from jupyter_fpga.fpga.pool import Unit
from jupyter_fpga.fpga.sessions import check_design, may_use
from jupyter_fpga.gateware.manifest import Manifest
from jupyter_fpga.people import Person

from .access import Access

__all__ = ("EtherbonePath", "EtherbonePort", "open_path", "open_port")

log = logging.getLogger(__name__)


class EtherbonePath(Live[bytes, bytes]):
    """The packets of one connection. Made by :func:`open_path`.

    The first that isn't carried out ends it: Etherbone over TCP has no way to say so, and what follows was sent in the
    belief that it was. It ends as well when the board gets another design than the one that it has talked to, whose
    ``csr.csv`` its client goes by.
    """

    error: LabError | None = None
    """Why a packet wasn't carried out, when that was the end."""
    _access: tuple[Manifest, Access] | None = None

    async def wait_over(self) -> str:
        """Wait until the path is over; returns a sentence that says why."""
        await self.wait_closed()
        return self._over().message

    async def _carry_out(self, packet: bytes) -> bytes:
        try:
            return await self._answer(packet)
        except LabError as error:
            self._fail(error)
            raise

    async def _answer(self, packet: bytes) -> bytes:
        manifest, _ = self._design()
        asked = decode(packet)
        if asked.probe:
            return PROBE_ANSWER
        if self._access is None or self._access[0] is not manifest:
            self._access = (manifest, Access(manifest))
        operations = self._access[1].operations(asked)
        self.design = manifest.digest
        if not operations:
            return b""
        results = await self._run(operations)
        words = [word for result in results for word in result]
        return encode_answer(words, asked.return_address) if words else b""

    def _fail(self, error: LabError) -> None:
        if self.closed is not None:
            return
        self.error = error
        self.end("failed")
        behind = False
        for answer in self._answers:
            if behind:
                # What is on the wire already is carried out all the same.
                answer.cancel()
            behind = behind or answer is asyncio.current_task()

    def _over(self) -> LabError:
        if self.error is not None:
            return self.error
        return refusals.lab_stopping() if self.closed == "lab_stopping" else super()._over()


async def open_path(floor: Floor, person: Person, fpga_id: int, *, design: str | None = None) -> EtherbonePath:
    """A path for one client of a board's holder.

    Parameters
    ----------
    design
        Digest of the manifest whose ``csr.csv`` the client goes by; ``None``: of whatever it talks to first.

    Raises
    ------
    Conflict
        ``fpga_not_reserved``, ``session_ended``, ``design_replaced``.
    Forbidden
        ``not_session_holder``.
    """
    unit = floor.pool[fpga_id]
    may_use(floor, unit, person)
    check_design(unit, design)
    path = EtherbonePath(floor, unit, person, observe=False, design=design, limit=floor.limit(person.name))
    unit.streams.add(path)
    return path


class EtherbonePort:
    """The port of a board session on the lab's machine: it lives as long as the session. Made by :func:`open_port`."""

    observes: bool = False
    design: str | None = None

    def __init__(self, floor: Floor, unit: Unit, person: Person) -> None:
        self._unit = unit
        fpga_id = unit.fpga_id
        self._listener = Listener(
            lambda: open_path(floor, person, fpga_id),
            tell=lambda sentence: log.info("Etherbone on board %s: %s", fpga_id, sentence),
        )
        unit.streams.add(self)

    async def address(self) -> dict[str, str | int]:
        """Where it listens, once it does."""
        await self._listener.start()
        return {"host": self._listener.host, "port": self._listener.port}

    def end(self, reason: str) -> None:
        """Close the port; its connections are reset."""
        self._unit.streams.discard(self)
        self._listener.close(_ENDS.get(reason, reason))


async def open_port(floor: Floor, person: Person, fpga_id: int, *, design: str | None = None) -> dict[str, str | int]:
    """Open the port of a board session, or tell where it is already.

    Returns
    -------
    dict
        ``host``, which is the lab's own machine, and ``port``.

    Raises
    ------
    Forbidden
        ``etherbone_not_shared``: several people use the lab, and whoever can reach a port of its machine would use the
        board. Else as :func:`open_path`.
    """
    unit = floor.pool[fpga_id]
    may_use(floor, unit, person)
    check_design(unit, design)
    if floor.config.several_users:
        raise refusals.etherbone_not_shared(fpga_id)
    port = next((path for path in unit.streams if isinstance(path, EtherbonePort)), None)
    return await (port or EtherbonePort(floor, unit, person)).address()


_ENDS = {
    "session_ended": "the board session has ended.",
    "lab_stopping": "the lab is shutting down.",
}
