"""What the design imports, so that the peer's client sends a bundle."""

from amaranth.hdl import Array, Signal

WORDS = 16


def storage():
    return Array(Signal(32, name=f"word_{index}") for index in range(WORDS))
