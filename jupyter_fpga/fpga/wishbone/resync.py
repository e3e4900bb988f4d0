"""Finding back in step with a board after anything: silence, then a nonce that only this moment can know."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from . import uartbone
from .pipeline import ControlAddresses
from .port import Port

__all__ = ("LinkTiming", "Resynchronizer", "Synced")

#: Of what came while looking for a nonce, the last bytes are enough to find it in.
_KEEP_BYTES = 4096


@dataclass(frozen=True)
class LinkTiming:
    """Wall-clock times of a link, seconds. A simulated board may run slower than its own clock says.

    Parameters
    ----------
    margin
        How long the board may take to answer, beyond the calculated time of what is under way.
    slowdown
        How many times longer than calculated the wire and the bus may take.
    silence
        First silence before looking for the board: longer than the bridge's watchdog (100 ms of board time), so that
        it has dropped whatever it was in the middle of. Doubled with each attempt, since the board may run slower.
    attempts
        How often the board is looked for before the link is lost.
    reply
        How long one look waits for the nonce.
    """

    margin: float = 2.0
    slowdown: float = 10.0
    silence: float = 0.12
    attempts: int = 6
    reply: float = 1.0


@dataclass(frozen=True)
class Synced:
    """What is known of a board that is in step: the nonce it holds, and its count of bus errors."""

    nonce: int
    bus_errors: int


class Resynchronizer:
    """Collects what comes while a link is out of step, and brings it back.

    Parameters
    ----------
    port
        Where to send; what comes must be given to :meth:`received`.
    """

    def __init__(self, port: Port, control: ControlAddresses, nonce: Iterator[int], timing: LinkTiming) -> None:
        self._port = port
        self._control = control
        self._nonces = nonce
        self._timing = timing
        self._buffer = bytearray()
        self._expected = 0
        self._heard = b""
        self._came = asyncio.Event()

    def received(self, data: bytes) -> None:
        """Bytes that came from the board."""
        self._buffer += data
        del self._buffer[:-_KEEP_BYTES]
        self._came.set()

    async def find(self, *, silent: bool) -> Synced | str:
        """Look for the board until it answers, or ``timing.attempts`` are used up.

        Parameters
        ----------
        silent
            Be silent first. Not needed for a board that was powered up just now and that nobody has talked to.

        Returns
        -------
        Synced or str
            What is known of the board, or the reason why it wasn't found.
        """
        for attempt in range(self._timing.attempts):
            if silent or attempt:
                self._port.discard_output()
                await asyncio.sleep(self._timing.silence * 2**attempt)
            synced = await self._look()
            if synced is not None:
                return synced
        return self._reason()

    def _reason(self) -> str:
        timing = self._timing
        if self._heard:
            return (
                f"none of {timing.attempts} attempts to find it was answered rightly: {self._expected:08x} was "
                f"expected, and the last bytes that came are {self._heard.hex()}."
            )
        last = timing.silence * 2 ** (timing.attempts - 1)
        silences = f"silences of {timing.silence:g} to {last:g} s"
        return f"it didn't answer {timing.attempts} attempts to find it, with {silences}."

    async def _look(self) -> Synced | None:
        """One look: any nonce that comes back shows where the answers are, a second one that nothing is before it."""
        self._expected = first = next(self._nonces)
        self._buffer.clear()
        self._port.send(self._hello(first) + self._read(self._control.scratch))
        at = await self._find_bytes(first.to_bytes(4, "big"))
        if at is None:
            self._heard = bytes(self._buffer[-8:])
            return None
        del self._buffer[: at + uartbone.WORD_BYTES]
        self._expected = second = next(self._nonces)
        # The nonce comes last, so that it vouches for the count as well.
        read = self._read(self._control.bus_errors) + self._read(self._control.scratch)
        # The overflow flag is sticky, and what it spoke of is over now: any value clears it.
        clear = uartbone.encode_write(self._control.overflow, (1,))
        self._port.send(self._hello(second) + clear + read)
        complete = await self._have_bytes(8)
        self._heard = bytes(self._buffer[-8:])
        if not complete:
            return None
        bus_errors, nonce = uartbone.decode_words(self._buffer, 0, 2)
        if nonce != second or len(self._buffer) != 8:
            return None
        return Synced(nonce, bus_errors)

    def _hello(self, nonce: int) -> bytes:
        return uartbone.encode_write(self._control.scratch, (nonce,))

    def _read(self, address: int) -> bytes:
        return uartbone.encode_read(address, 1)

    async def _find_bytes(self, wanted: bytes) -> int | None:
        try:
            async with asyncio.timeout(self._timing.reply):
                while (at := self._buffer.find(wanted)) < 0:
                    self._came.clear()
                    await self._came.wait()
                return at
        except TimeoutError:
            return None

    async def _have_bytes(self, count: int) -> bool:
        try:
            async with asyncio.timeout(self._timing.reply):
                while len(self._buffer) < count:
                    self._came.clear()
                    await self._came.wait()
                return True
        except TimeoutError:
            return False
