"""The small design: a PWM on the LED."""

from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Top(wiring.Component):
    duty: In(8)
    led: Out(1)
    count: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        m.d.comb += self.led.eq(self.count < self.duty)
        return m
