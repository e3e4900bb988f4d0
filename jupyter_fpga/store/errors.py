"""What the store refuses, each with its sentence."""

from collections.abc import Collection
from typing import Any

from jupyter_fpga.errors import Conflict, Invalid, Unavailable

__all__ = ("Leased", "LsnInFuture", "Stale", "StaleFence", "StoreClosed", "StoreFailed", "StoreLocked", "StoreUnusable")

OTHER_FOLDER = (
    "set Lab.data_dir, or the environment variable JUPYTER_FPGA_DATA_DIR, to a folder on a disk of this machine"
)
"""What a person does when the lab's folder can't be used."""


class Stale(Conflict):
    """A row was no longer in a state that the transition starts from.

    Parameters
    ----------
    subject
        The row in words: ``"board 3"``.
    column
        The column that holds the state.
    found
        Its value now.
    expected
        The values that the transition starts from.
    """

    default_code = "stale"

    def __init__(self, subject: str, column: str, found: Any, expected: Collection[str]) -> None:
        wanted = " or ".join(f"'{value}'" for value in sorted(expected))
        super().__init__(
            f"The {column} of {subject} is '{found}', and this step needs {wanted}. "
            "Look at it again before you repeat the request.",
            detail={"subject": subject, "column": column, "found": found, "expected": sorted(expected)},
        )
        self.found = found


class StaleFence(Stale):
    """A row was claimed again since the writer claimed it: the writer's fence token is too old (or was never valid)."""

    default_code = "stale_fence"

    def __init__(self, subject: str, found: Any, expected: int) -> None:
        Conflict.__init__(
            self,
            f"Fence token {expected} of {subject} is no longer valid (it is {found} now): somebody else has taken it "
            "over. Drop this piece of work; nothing of it was stored.",
            detail={"subject": subject, "column": "fence", "found": found, "expected": expected},
        )
        self.found = found


class Leased(Stale):
    """A row is claimed, and the lease of the one who holds it hasn't run out."""

    default_code = "leased"

    def __init__(self, subject: str, remaining: float | None) -> None:
        until = "has no end" if remaining is None else f"runs for another {remaining:.1f} s"
        Conflict.__init__(
            self,
            f"Somebody works on {subject}, and the lease {until}. Wait until that work is done or its lease is over.",
            detail={"subject": subject, "column": "lease_until", "remaining_seconds": remaining},
        )
        self.found = remaining


class StoreClosed(Unavailable):
    """The store is closed, or about to be."""

    default_code = "store_closed"

    def __init__(self) -> None:
        super().__init__("The lab is shutting down and takes nothing new. Try again when it runs again.")


class StoreFailed(Unavailable):
    """The database failed under a change, a whole group of them, or a query."""

    default_code = "store_failed"

    def __init__(self, error: BaseException, *, reading: bool = False) -> None:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        consequence = (
            "nothing could be read. Put that right, and repeat the request."
            if reading
            else "this change may not have been stored. Put that right, look again, and repeat what is missing."
        )
        super().__init__(f"The lab's database failed ({reason}), so {consequence}", detail={"reason": reason})


class StoreUnusable(Unavailable):
    """The database can't be opened; the message says why and what to set."""

    default_code = "store_unusable"


class StoreLocked(StoreUnusable):
    """Another lab uses the database."""

    default_code = "store_locked"

    def __init__(self, where: str, holder: str, remedy: str) -> None:
        super().__init__(
            f"Another lab ({holder}) uses {where}, and one database serves one lab. "
            f"Use that lab, stop it, or {remedy}.",
            detail={"database": where, "holder": holder},
        )


class LsnInFuture(Invalid):
    """A reader asked for events after an LSN that the log has not reached: it read another log."""

    default_code = "lsn_in_future"

    def __init__(self, lsn: int, latest: int) -> None:
        super().__init__(
            f"The event log ends at LSN {latest}, and events after {lsn} were asked for: that number is from another "
            "log. Read the state anew and follow the log from its end.",
            detail={"since": lsn, "latest": latest},
        )
