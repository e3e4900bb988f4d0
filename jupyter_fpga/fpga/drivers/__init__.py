"""How the lab reaches a board: one protocol, and a driver for each way."""

from .base import (
    MENDED_ELSEWHERE,
    Bench,
    Check,
    Driver,
    DriverError,
    DriverOfBoards,
    NoBench,
    Pluggable,
    Record,
    Unplugged,
)
from .capture import Captured, CapturePlan, Ended, Kind, Signal, Term
from .serial import SerialDriver
from .simulated import SimulatedDriver

__all__ = (
    "MENDED_ELSEWHERE",
    "Bench",
    "CapturePlan",
    "Captured",
    "Check",
    "Driver",
    "DriverError",
    "DriverOfBoards",
    "Ended",
    "Kind",
    "NoBench",
    "Pluggable",
    "Record",
    "SerialDriver",
    "Signal",
    "SimulatedDriver",
    "Term",
    "Unplugged",
)
