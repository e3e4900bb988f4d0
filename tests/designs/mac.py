"""Multiply and accumulate: each rise of ``go`` adds ``a * b``."""

from amaranth import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out


class Mac(wiring.Component):
    a: In(16)
    b: In(16)
    go: In(1)
    clear: In(1)
    total: Out(40)

    def elaborate(self, platform):
        m = Module()
        before = Signal()
        product = Signal(32)
        add = Signal()
        m.d.sync += [before.eq(self.go), add.eq(self.go & ~before), product.eq(self.a * self.b)]
        with m.If(self.clear):
            m.d.sync += self.total.eq(0)
        with m.Elif(add):
            m.d.sync += self.total.eq(self.total + product)
        return m
