"""How an operation on a board can fail to give a result: each way has its class, and none of them is silence."""

from collections.abc import Sequence
from typing import Any

from jupyter_fpga.errors import Conflict, LabError, Unavailable

from .operation import Operation

__all__ = ("BusError", "LinkBusy", "LinkError", "LinkLost", "LinkTimeout", "OutcomeUnknown", "ProofFailed")


class LinkError(LabError):
    """Operations that didn't all give a result.

    Parameters
    ----------
    completed
        Results of the first ``len(completed)`` operations: those are known to be done (``[]`` for a write).
    in_doubt
        Indices of the operations that were on the wire, and of which nobody can say whether the board carried them
        out. Operations beyond were never sent.
    """

    default_code = "link_error"

    def __init__(
        self,
        message: str,
        *,
        completed: Sequence[list[int]] = (),
        in_doubt: range = range(0),
        detail: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message, detail={"known_done": len(completed), **(detail or {})})
        self.completed: list[list[int]] = list(completed)
        self.in_doubt = in_doubt
        if in_doubt:
            self.detail["in_doubt"] = [in_doubt.start, in_doubt.stop - 1]

    def alone(self, index: int) -> "LinkError | None":
        """The error as it would be if operation ``index`` had been the only one; ``None`` if it isn't to blame."""
        return None


class BusError(LinkError):
    """Nobody on the bus answered an operation.

    Parameters
    ----------
    index
        Which operation. ``completed`` are the results of those before it.
    operation
        That operation.
    address
        Byte address that failed; the operation's first one where the bridge can't tell which of its words did.
    certain
        False when the bridge reported fewer errors than there are reads that look like one: then ``index`` is the
        first that may be meant.
    ran_on
        Indices of later operations that were on the wire already, and have been carried out as well.
    """

    default_code = "bus_error"

    def __init__(
        self,
        index: int,
        operation: Operation,
        *,
        address: int,
        certain: bool,
        completed: Sequence[list[int]],
        ran_on: range,
    ) -> None:
        self.index, self.operation, self.address, self.certain, self.ran_on = index, operation, address, certain, ran_on
        verb = "write to" if operation.is_write else "read of"
        sentence = (
            f"The {verb} address {address:#010x} (operation {index}) was not answered on the bus: nothing is mapped "
            "there, or the design didn't acknowledge it in time."
            if certain
            else f"Operation {index} (a {verb} address {address:#010x}), or a later one that read 0xffffffff as well, "
            "was not answered on the bus: nothing is mapped there, or the design didn't acknowledge it in time."
        )
        done = f" {_operations(range(index))} done." if index else ""
        after = f" {_operations(ran_on)} done as well, being on the wire already." if ran_on else ""
        super().__init__(
            sentence + done + after,
            completed=completed,
            detail={
                "index": index,
                "address": address,
                "certain": certain,
                "ran_on": [ran_on.start, ran_on.stop - 1] if ran_on else None,
            },
        )

    def alone(self, index: int) -> "LinkError | None":
        if index != self.index:
            return None
        return BusError(0, self.operation, address=self.address, certain=self.certain, completed=(), ran_on=range(0))


class OutcomeUnknown(LinkError):
    """Something went wrong on the wire while operations were on it: what the board did with them can't be known.

    The link has failed them, and finds its way back to the board by itself. It never repeats an operation, since a
    read may have side effects that only the caller knows of.
    """

    default_code = "outcome_unknown"

    def __init__(self, reason: str, *, completed: Sequence[list[int]], in_doubt: range, total: int) -> None:
        self.reason = reason
        super().__init__(
            f"{reason} {_known(len(completed), in_doubt, total)} Read back what matters before you go on.",
            completed=completed,
            in_doubt=in_doubt,
            detail={"reason": reason},
        )

    def alone(self, index: int) -> LinkError | None:
        return type(self)(self.reason, completed=(), in_doubt=range(1), total=1) if index in self.in_doubt else None


class LinkTimeout(OutcomeUnknown):
    """The outcome is unknown because the board didn't answer in time."""


class LinkLost(LinkError, Unavailable):
    """The board can't be reached by this link any more: it hung up, or didn't come back after resynchronisation."""

    default_code = "link_lost"

    def __init__(
        self, reason: str, *, completed: Sequence[list[int]] = (), in_doubt: range = range(0), total: int = 0
    ) -> None:
        self.reason = reason
        known = f" {_known(len(completed), in_doubt, total)}" if total else ""
        super().__init__(
            f"The link to the board is lost: {reason}{known} Reset the board to use it again.",
            completed=completed,
            in_doubt=in_doubt,
            detail={"reason": reason},
        )

    def alone(self, index: int) -> LinkError | None:
        return LinkLost(self.reason, in_doubt=range(1 if index in self.in_doubt else 0), total=1)


class LinkBusy(Conflict):
    """Somebody holds the link for themselves just now."""

    default_code = "link_busy"

    def __init__(self, holder: str) -> None:
        super().__init__(
            f"The board's link is held exclusively for {holder}; try again when it is released.",
            detail={"holder": holder},
        )


class ProofFailed(LabError):
    """The board answers, but isn't what it should be."""

    default_code = "proof_failed"


def _known(done: int, in_doubt: range, total: int) -> str:
    parts = [f"{_operations(range(done))} done" if done else "No operation is known to be done"]
    if in_doubt:
        parts.append(f"{_operations(in_doubt, later=True)} on the wire and may or may not have been carried out")
    sent = max(done, in_doubt.stop if in_doubt else 0)
    if sent < total:
        parts.append(f"{_operations(range(sent, total), later=True)} not sent")
    return "; ".join(parts) + "."


def _operations(which: range, *, later: bool = False) -> str:
    one = "operation" if later else "Operation"
    if len(which) == 1:
        return f"{one} {which.start} {'was' if later else 'is'}"
    return f"{one}s {which.start} to {which.stop - 1} {'were' if later else 'are'}"
