"""A FIR filter of eight taps, one multiplication a cycle: each rise of ``push`` takes a sample."""

from amaranth import Array, Const, Module, Signal, signed
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

TAPS = (1, -3, 12, 54, 54, 12, -3, 1)


class Fir(wiring.Component):
    sample: In(signed(12))
    push: In(1)
    result: Out(signed(24))

    def elaborate(self, platform):
        m = Module()
        taps = Array([Const(tap, signed(8)) for tap in TAPS])
        line = Array([Signal(signed(12), name=f"line{index}") for index in range(len(TAPS))])
        step = Signal(range(len(TAPS)))
        total = Signal(signed(24))
        before = Signal()
        m.d.sync += before.eq(self.push)
        with m.FSM():
            with m.State("WAIT"), m.If(self.push & ~before):
                m.d.sync += line[0].eq(self.sample)
                m.d.sync += [line[index].eq(line[index - 1]) for index in range(1, len(TAPS))]
                m.d.sync += [total.eq(0), step.eq(0)]
                m.next = "ADD"
            with m.State("ADD"):
                m.d.sync += [total.eq(total + taps[step] * line[step]), step.eq(step + 1)]
                with m.If(step == len(TAPS) - 1):
                    m.next = "DONE"
            with m.State("DONE"):
                m.d.sync += self.result.eq(total)
                m.next = "WAIT"
        return m
