"""The peer system's own contract: a Wishbone slave by name. Sixteen words of memory; the last one counts writes."""

from amaranth.hdl import Elaboratable, Module, Signal
from helper import WORDS, storage


class Memory(Elaboratable):
    def __init__(self):
        self.wb_cyc = Signal()
        self.wb_stb = Signal()
        self.wb_we = Signal()
        self.wb_adr = Signal(4)
        self.wb_dat_w = Signal(32)
        self.wb_sel = Signal(4)
        self.wb_dat_r = Signal(32)
        self.wb_ack = Signal()

    def elaborate(self, platform):
        m = Module()
        words = storage()
        writes = Signal(32)
        m.d.sync += self.wb_ack.eq(self.wb_cyc & self.wb_stb & ~self.wb_ack)
        with m.If(self.wb_cyc & self.wb_stb & ~self.wb_ack):
            with m.If(self.wb_we):
                m.d.sync += [words[self.wb_adr].eq(self.wb_dat_w), writes.eq(writes + 1)]
            m.d.sync += self.wb_dat_r.eq(words[self.wb_adr])
            with m.If(self.wb_adr == WORDS - 1):
                m.d.sync += self.wb_dat_r.eq(writes)
        return m
