"""What is plugged in: USB devices as the kernel shows them, and news of those that come and go."""

from .bus import UsbBus
from .devices import SerialPort, UsbDevice, scan
from .uevents import Uevents

__all__ = ("SerialPort", "Uevents", "UsbBus", "UsbDevice", "scan")
