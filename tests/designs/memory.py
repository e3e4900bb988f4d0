"""512 words of block RAM, as a Wishbone slave by its names."""

from amaranth import Elaboratable, Module, Mux, Signal
from amaranth.lib.memory import Memory


class Words(Elaboratable):
    def __init__(self):
        self.wb_cyc, self.wb_stb, self.wb_we, self.wb_ack = (Signal() for _ in range(4))
        self.wb_adr, self.wb_sel = Signal(9), Signal(4)
        self.wb_dat_w, self.wb_dat_r = Signal(32), Signal(32)

    def elaborate(self, platform):
        m = Module()
        m.submodules.words = words = Memory(shape=32, depth=512, init=range(512))
        read, write = words.read_port(), words.write_port(granularity=8)
        begins = self.wb_cyc & self.wb_stb & ~self.wb_ack
        m.d.sync += self.wb_ack.eq(begins)
        m.d.comb += [
            read.addr.eq(self.wb_adr),
            write.addr.eq(self.wb_adr),
            write.data.eq(self.wb_dat_w),
            write.en.eq(Mux(begins & self.wb_we, self.wb_sel, 0)),
            self.wb_dat_r.eq(read.data),
        ]
        return m
