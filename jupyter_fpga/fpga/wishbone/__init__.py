"""The Wishbone link of a board: many requests in flight, never a hang, never a wrong value returned as right."""

from .errors import BusError, LinkBusy, LinkError, LinkLost, LinkTimeout, OutcomeUnknown, ProofFailed
from .link import LinkSession, WishboneLink
from .operation import Operation
from .pipeline import ControlAddresses
from .port import Wire
from .resync import LinkTiming

__all__ = (
    "BusError",
    "ControlAddresses",
    "LinkBusy",
    "LinkError",
    "LinkLost",
    "LinkSession",
    "LinkTimeout",
    "LinkTiming",
    "Operation",
    "OutcomeUnknown",
    "ProofFailed",
    "Wire",
    "WishboneLink",
)
