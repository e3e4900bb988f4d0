"""A medium design that is always busy: a FIR filter of 32 taps that takes a random sample in every cycle.

Simulators are compared with it: ``checksum`` is different in every cycle, ``early`` is what it was after so many.
"""

from amaranth.hdl import Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import Out

EARLY = 20_000
TAPS = [(37 * index * index + 11 * index + 5) % 255 - 127 for index in range(32)]


class Top(wiring.Component):
    checksum: Out(32)
    early: Out(32)

    def elaborate(self, platform):
        m = Module()
        # George Marsaglia's xorshift (Journal of Statistical Software 8(14), 2003).
        random = Signal(32, init=2463534242)
        first, second = Signal(32), Signal(32)
        m.d.comb += [first.eq(random ^ (random << 13)), second.eq(first ^ (first >> 17))]
        m.d.sync += random.eq(second ^ (second << 5))
        cycle = Signal(32)
        m.d.sync += cycle.eq(cycle + 1)
        line = [Signal(signed(16), name=f"line_{index}") for index in range(len(TAPS))]
        m.d.sync += [line[0].eq(random[:16]), *(line[index].eq(line[index - 1]) for index in range(1, len(TAPS)))]
        products = [Signal(signed(24), name=f"product_{index}") for index in range(len(TAPS))]
        m.d.sync += [product.eq(value * tap) for product, value, tap in zip(products, line, TAPS, strict=True)]
        result = Signal(signed(32))
        m.d.sync += result.eq(sum(products[1:], products[0]))
        m.d.sync += self.checksum.eq(self.checksum.rotate_left(1) ^ result)
        with m.If(cycle == EARLY):
            m.d.sync += self.early.eq(self.checksum)
        return m
