"""A Wishbone slave that keeps a ledger of its writes: how many there were, which, and in which order.

Word 0: a write enters its data; a read gives the number of entries. Word 1 (read-only): ``digest = digest * 31 + data``
over all entries, modulo 2**32. Nothing else changes either, so what a board was told, and how often, can be read back.
"""

from amaranth.hdl import Elaboratable, Module, Signal

# Told from the other designs of a test by this number alone.
SERIAL = 0


class Top(Elaboratable):
    """The slave."""

    def __init__(self):
        self.wb_cyc = Signal()
        self.wb_stb = Signal()
        self.wb_we = Signal()
        self.wb_adr = Signal(2)
        self.wb_dat_w = Signal(32)
        self.wb_dat_r = Signal(32)
        self.wb_sel = Signal(4)
        self.wb_ack = Signal()

    def elaborate(self, platform):
        m = Module()
        entries = Signal(32)
        digest = Signal(32)
        asked = self.wb_cyc & self.wb_stb & ~self.wb_ack
        m.d.sync += self.wb_ack.eq(asked)
        with m.Switch(self.wb_adr):
            with m.Case(0):
                m.d.comb += self.wb_dat_r.eq(entries)
            with m.Case(1):
                m.d.comb += self.wb_dat_r.eq(digest)
            with m.Case(2):
                m.d.comb += self.wb_dat_r.eq(SERIAL)
        with m.If(asked & self.wb_we & (self.wb_adr == 0)):
            m.d.sync += [entries.eq(entries + 1), digest.eq(digest * 31 + self.wb_dat_w)]
        return m
