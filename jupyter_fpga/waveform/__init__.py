"""Signals over time: what a capture gives, and what a VCD file has."""

from .wave import Wave
from .waveform import Waveform

__all__ = ("Wave", "Waveform")
