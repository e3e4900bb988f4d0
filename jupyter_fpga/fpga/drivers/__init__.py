"""How the lab reaches a board: one protocol, and a driver for each way."""

from .base import Bench, Driver, DriverError, Record
from .simulated import SimulatedDriver

__all__ = ("Bench", "Driver", "DriverError", "Record", "SimulatedDriver")
