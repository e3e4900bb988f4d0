"""Where requests go: to the lab in this process, or on to the one that this person's lab already is."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from jupyter_fpga.fpga.service import Fpga

    from .forward import Remote

__all__ = ("Activity", "Door", "Here", "LabLike", "There")


class LabLike(Protocol):
    """What the doors need of a lab; the composition root makes it."""

    @property
    def fpga(self) -> "Fpga":
        """The boards' floor, once started."""
        ...

    async def start(self) -> None:
        """Build the floors."""
        ...

    async def stop(self) -> None:
        """Take them down in order, also after a start that failed half-way."""
        ...


@dataclass(frozen=True)
class Here:
    """The lab is in this process."""

    fpga: "Fpga"


@dataclass(frozen=True)
class There:
    """The lab is another process's."""

    remote: "Remote"


class Activity:
    """Whether anybody is using a door: requests in flight, open WebSockets, and when the last one ended."""

    def __init__(self) -> None:
        self.open = 0
        self.last = time.monotonic()

    def __enter__(self) -> None:
        self.open += 1

    def __exit__(self, *_: object) -> None:
        self.open -= 1
        self.last = time.monotonic()

    def quiet_seconds(self) -> float:
        """How long nobody has used the door; 0 while somebody does."""
        return 0.0 if self.open else time.monotonic() - self.last


class Door(Protocol):
    """What every handler of one host holds."""

    activity: Activity

    async def reach(self) -> Here | There:
        """Where the lab is, as soon as it is there.

        Raises
        ------
        Unavailable
            It isn't there, and didn't come within the time that a request may wait.
        """
        ...

    def lost(self, there: There) -> None:
        """Tell that the other process doesn't answer, so that the next :meth:`reach` looks again."""
        ...
