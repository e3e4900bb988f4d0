"""Which walls there are, and how the reason for having them is told."""

from collections.abc import Sequence
from typing import Literal

from jupyter_fpga.compute.sandbox.mounts import WORK, Mount, python_mounts

__all__ = ("TIERS", "NoTier", "Tier", "python_outside_work", "reason_for_landlock", "reason_for_none")

Tier = Literal["full", "landlock", "none"]
"""``full``: bubblewrap. ``landlock``: Landlock and seccomp. ``none``: only limits, fit for the machine's own user."""

TIERS: tuple[Tier, ...] = ("full", "landlock", "none")
"""The best first."""


class NoTier(Exception):
    """A tier can't be had.

    Parameters
    ----------
    why
        The reason, as half a sentence.
    advice
        What could be done, as a sentence.
    """

    def __init__(self, why: str, advice: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.advice = advice


def python_outside_work() -> list[Mount]:
    """Where Python is; refused where the work folder is to be."""
    mounts = python_mounts()
    if any(mount.target == WORK for mount in mounts):
        raise NoTier(
            f"Python is installed in {WORK}, where sandboxed programs have their work folder",
            "Install it in another folder.",
        )
    return mounts


def reason_for_none(refusals: Sequence[NoTier]) -> str:
    """Why there are no walls, and what to do."""
    why = _capital(", and ".join(refused.why for refused in refusals))
    advice = dict.fromkeys(refused.advice for refused in refusals if refused.advice)
    fit = "so designs run with nothing but limits around them: fit for one's own designs only."
    return " ".join([f"{why}, {fit}", *advice])


def reason_for_landlock(instead_of: str, version: int, *, fit: bool) -> str:
    """Why it isn't the best tier, what this one does, and what it can't.

    Parameters
    ----------
    instead_of
        Why the better one can't be had.
    version
        Of the kernel's Landlock.
    fit
        Whether it keeps people apart who don't trust one another.
    """
    kept = "files, the network and other programs" if fit else "files and the network"
    unfit = (
        "They can send signals to the lab: fit for one's own designs only, unless the lab runs as root or on Linux "
        "6.12 or newer. "
    )
    return (
        f"{_capital(instead_of)}, so Landlock (version {version}) and seccomp keep designs from {kept}. "
        f"{'' if fit else unfit}They can find out whether a file or a process exists, and their work folders are on "
        "the disk instead of in memory."
    )


def _capital(text: str) -> str:
    return text if text.startswith("bubblewrap") else text[0].upper() + text[1:]
