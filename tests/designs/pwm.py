"""A LED that is as bright as its duty says."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Pwm(wiring.Component):
    duty: In(8, init=64)
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        count = Signal(8)
        m.d.sync += [count.eq(count + 1), self.led.eq(count < self.duty)]
        return m
