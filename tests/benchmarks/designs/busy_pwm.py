"""A small design that is always busy: a PWM on the LED, and how many cycles it has been lit.

Simulators are compared with it: ``checksum`` is different in every cycle, ``early`` is what it was after so many.
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

EARLY = 20_000


class Top(wiring.Component):
    duty: In(8, init=64)
    led: Out(1)
    checksum: Out(32)
    early: Out(32)

    def elaborate(self, platform):
        m = Module()
        count = Signal(8)
        cycle = Signal(32)
        m.d.sync += [count.eq(count + 1), cycle.eq(cycle + 1)]
        m.d.sync += self.led.eq(count < self.duty)
        m.d.sync += self.checksum.eq(self.checksum.rotate_left(1) ^ (cycle + self.led))
        with m.If(cycle == EARLY):
            m.d.sync += self.early.eq(self.checksum)
        return m
