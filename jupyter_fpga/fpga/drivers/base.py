"""What every driver can do, and how it says that it couldn't."""

from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from jupyter_fpga.errors import Conflict, LabError
from jupyter_fpga.fpga.config import BoardConfig
from jupyter_fpga.fpga.wishbone import Wire
from jupyter_fpga.gateware.manifest import Manifest

from .capture import Captured, CapturePlan, Signal

__all__ = (
    "MENDED_ELSEWHERE",
    "Bench",
    "Check",
    "CheckState",
    "Driver",
    "DriverError",
    "DriverOfBoards",
    "NoBench",
    "Pluggable",
    "Record",
    "Unplugged",
    "unheard",
)

#: What a driver needs to find a board again after the lab died: plain data, kept in the store.
Record = dict[str, Any]


class DriverError(LabError):
    """The board couldn't be programmed or reached; the message says why."""

    default_code = "driver_error"


class Unplugged(DriverError):
    """The board isn't there: nobody's fault but its cable's, and mended by plugging it in."""

    default_code = "board_unplugged"


class NoBench(DriverError, Conflict):
    """The board is real, and so is its bench."""

    default_code = "no_bench"


MENDED_ELSEWHERE = frozenset(
    (
        "board_unplugged",
        "board_ambiguous",
        "board_not_selectable",
        "flash_not_allowed",
        "permission_denied",
        "programmer_busy",
        "programmer_missing",
        "programmer_unfit",
        "uart_busy",
        "uart_unknown",
        "usb_not_given",
    )
)
"""Codes of failures that are no fault of the board's: a cable, a right, a program or a setting that somebody mends. A
power cycle doesn't, and no number of them is a reason for quarantine."""


def unheard(line: str) -> None:
    """Takes lines of progress for nobody."""


CheckState = Literal["ok", "broken", "skipped"]
"""``skipped``: it wasn't looked at, and the finding says why."""


@dataclass(frozen=True)
class Check:
    """One link of the chain from the lab to a design's registers, looked at.

    Parameters
    ----------
    link
        Which: ``power``, ``programmer``, ``uart``, ``identifier``, ``scratch`` or ``bus_errors``.
    found
        What there is, as a sentence without its full stop; of a broken one, what is wrong and what to do.
    """

    link: str
    state: CheckState
    found: str

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return asdict(self)


class Bench(Protocol):
    """What stands around a board on a bench: LEDs to look at, buttons, power, an instrument or two.

    Every method raises :class:`DriverError` when the board is gone or refuses.
    """

    async def state(self) -> dict[str, Any]:
        """Everything there is to see, as of now. Doesn't make board time run.

        ``cycles``: clock cycles since the board's process began; ``clock_hz``; ``powered``; ``running``: whether board
        time runs; ``scale``: board time per real time over the last tenth of a second, or None while it stands still;
        ``leds``: levels; ``lit``: for each LED the cycles that it has been lit, so that two looks give its brightness;
        ``pmod``, ``pmod_oe``, ``pmod_in``, ``buttons``, ``switches``: levels; ``console``: bytes that the console has
        sent; ``trace``: None, or ``{"bytes": n, "ended": None | "limit" | "write"}``; ``capturing``: whether a capture
        is going on.
        """
        ...

    async def set(self, *, buttons: int | None = None, switches: int | None = None, pmod: int | None = None) -> None:
        """Hold inputs at levels. What isn't named stays as it is."""
        ...

    async def press(self, button: int, *, seconds: float = 0.02) -> None:
        """Press a button for ``seconds`` of board time; returns when it is released."""
        ...

    async def run(self, cycles: int) -> int:
        """Let board time run for ``cycles`` clock cycles; returns the cycle it is then."""
        ...

    async def idle(self) -> int:
        """Return once board time stands still, with the cycle it is then: nothing is on the lines, nobody watches."""
        ...

    async def power(self, on: bool) -> None:
        """Switch the board off, or on again with everything in its initial state."""
        ...

    def watch(self, interval: float = 0.1) -> AsyncIterator[dict[str, Any]]:
        """States as of :meth:`state`, one each ``interval`` seconds. Board time runs as long as somebody watches."""
        ...

    async def console_write(self, data: bytes, *, baud: int | None = None) -> None:
        """Send ``data`` to the design's console; ``baud`` (115200 at first) holds for both directions from then on."""
        ...

    async def console_read(self, position: int = 0) -> tuple[int, bytes]:
        """What the console has sent since byte ``position``, as far as it is kept; and the position after it."""
        ...

    async def trace_start(self, path: Path, *, limit_bytes: int = 64 << 20, everything: bool = False) -> None:
        """Write a VCD of every signal of the design into the new file ``path``, up to ``limit_bytes``.

        ``everything``: the SoC around the design too. Time in it is board time since power-up, in picoseconds.
        """
        ...

    async def trace_stop(self) -> dict[str, Any]:
        """End the trace; its file is whole when this returns. Returns what ``trace`` is in :meth:`state`."""
        ...

    async def signals(self) -> list[Signal]:
        """Every signal there is, of the design and of the SoC around it. Always in the same order."""
        ...

    async def capture(
        self, plan: CapturePlan, *, limit_bytes: int = 8 << 20, on_begun: Callable[[], None] = lambda: None
    ) -> Captured:
        """Capture; returns at the last sample, or when :meth:`capture_stop` is called. Board time runs meanwhile.

        Parameters
        ----------
        limit_bytes
            Of the list of changes that the board writes.
        on_begun
            Called once the trigger is being looked for: what happens from now on is seen.
        """
        ...

    async def capture_stop(self) -> None:
        """End the capture with the newest samples, if there is one."""
        ...


class Driver(Protocol):
    """How the lab reaches a board. Every method raises :class:`DriverError` for what it can't do."""

    @property
    def has_flash(self) -> bool:
        """Whether a person may have a design written into the board's flash."""
        ...

    async def program(
        self, image: Path, manifest: Manifest, *, log: Callable[[str], None] = unheard, flash: bool = False
    ) -> Record:
        """Put ``image`` on the board and power it up. Returns what :meth:`find` needs to know it again.

        Parameters
        ----------
        log
            Gets lines of progress.
        flash
            Into the flash, from which the board starts by itself from then on.
        """
        ...

    async def open(self, record: Record) -> Wire:
        """The board's serial line."""
        ...

    async def find(self, record: Record) -> bool:
        """Whether the board of ``record`` is still there and the same, after the lab began anew. Never raises."""
        ...

    async def power_cycle(
        self, record: Record | None, image: Path, manifest: Manifest, *, log: Callable[[str], None] = unheard
    ) -> Record:
        """Take the power away, where that can be done, and program ``image``.

        Parameters
        ----------
        record
            What ran before, if that is known.
        """
        ...

    def explain(self, record: Record, error: LabError) -> LabError:
        """What it means that a board that was programmed, or found, couldn't be proven."""
        ...

    def examine(self, record: Record | None, *, in_use: bool) -> AsyncIterator[Check]:
        """Look at ``power``, ``programmer`` and ``uart``, in this order; what breaks is told, not raised.

        Parameters
        ----------
        in_use
            A person's design runs: nothing may disturb it.
        """
        ...

    async def shutdown(self, record: Record) -> None:
        """Take the board down. Nothing of it is left when this returns; nothing happens if it is gone already."""
        ...

    async def sweep(self, known: Collection[Record]) -> None:
        """Take down every board of an earlier lab that isn't among ``known``: it died before it could note them."""
        ...

    def bench(self, record: Record) -> Bench:
        """What stands around the board."""
        ...


@runtime_checkable
class Pluggable(Protocol):
    """A driver whose board can be plugged in and out."""

    def trouble(self, record: Record | None) -> LabError | None:
        """Why the board isn't there as ``record`` left it: :class:`Unplugged` now, or plugged in anew since (any other
        error); ``None`` when it is."""
        ...


@runtime_checkable
class DriverOfBoards(Protocol):
    """Makes the driver of each board: where a driver has to know which one it reaches."""

    def of(self, board: BoardConfig) -> Driver:
        """The driver of ``board``."""
        ...
