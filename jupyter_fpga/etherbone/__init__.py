"""Etherbone, as LiteX's own tools speak it: the packets, and a port that serves them."""

from .listener import Listener, Path
from .packets import PROBE_ANSWER, Packet, Splitter, decode, encode_answer, expects_answer

__all__ = (
    "PROBE_ANSWER",
    "Listener",
    "Packet",
    "Path",
    "Splitter",
    "decode",
    "encode_answer",
    "expects_answer",
)
