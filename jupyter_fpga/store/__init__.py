"""The durable truth: tables, transactions and the event log."""

from jupyter_fpga.store.errors import (
    Leased,
    LsnInFuture,
    Stale,
    StaleFence,
    StoreClosed,
    StoreFailed,
    StoreLocked,
    StoreUnusable,
)
from jupyter_fpga.store.events import Event, EventLog
from jupyter_fpga.store.store import Store
from jupyter_fpga.store.transaction import Transaction

__all__ = (
    "Event",
    "EventLog",
    "Leased",
    "LsnInFuture",
    "Stale",
    "StaleFence",
    "Store",
    "StoreClosed",
    "StoreFailed",
    "StoreLocked",
    "StoreUnusable",
    "Transaction",
)
