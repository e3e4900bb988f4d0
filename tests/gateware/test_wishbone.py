"""Form 2: an elaboratable with wb_* signals, as the peers' lab takes it."""

from jupyter_fpga.gateware.manifest import Memory, Pin, Window

SLAVE = """\
from amaranth import *


class Top(Elaboratable):
    def __init__(self):
        self.wb_cyc = Signal()
        self.wb_stb = Signal()
        self.wb_we = Signal()
        self.wb_adr = Signal(9)
        self.wb_dat_w = Signal(32)
        self.wb_sel = Signal(4)
        self.wb_dat_r = Signal(32)
        self.wb_ack = Signal()
        self.leds = Signal(8)
        self.button = Signal()
        self.pmod = Signal(8)
        self.not_a_pin = Signal(5)

    def elaborate(self, platform):
        m = Module()
        memory = Array(Signal(32, name=f"word{i}") for i in range(4))
        m.d.sync += self.wb_ack.eq(0)
        with m.If(self.wb_cyc & self.wb_stb & ~self.wb_ack):
            m.d.sync += [self.wb_ack.eq(1), self.wb_dat_r.eq(memory[self.wb_adr[:2]] + (self.wb_adr << 16))]
            with m.If(self.wb_we):
                m.d.sync += memory[self.wb_adr[:2]].eq(self.wb_dat_w)
        m.d.comb += [self.leds.eq(memory[0]), self.pmod.eq(Cat(self.button, C(1, 2)))]
        return m
"""


def test_window_is_as_large_as_the_address_says(elaborate):
    manifest = elaborate(SLAVE).manifest
    assert manifest.form == "wishbone"
    assert manifest.window == Window(0x3000_0000, 2048)
    assert manifest.memories == [Memory("wb", 0, 512, 32, "rw")]
    assert manifest.registers == []
    assert manifest.pins == [
        Pin("leds", "leds", "o", 8),
        Pin("button", "button", "i", 1),
        Pin("pmod", "pmod", "o", 8),
    ]


def test_slave_on_the_bus(assembled, bench):
    async def test(bus):
        assert await bus.read(4 * 511) == 511 << 16
        await bus.write(0, 0xA5)
        assert await bus.read(0) == 0xA5
        assert bus.get("leds") == 0xA5
        bus.set("buttons", 1)
        await bus.idle(1)
        assert bus.get("pmod_o") == 0b011
        assert bus.get("pmod_oe") == 0xFF
        # Beyond the nine bits nobody answers, and nothing wraps around.
        assert await bus.read(2048) is None
        assert await bus.read(0) == 0xA5

    bench(assembled(SLAVE), test)


def test_slave_that_answers_in_the_same_cycle(assembled, bench):
    text = SLAVE.replace("m.d.sync += self.wb_ack.eq(0)", "m.d.comb += self.wb_ack.eq(self.wb_cyc & self.wb_stb)")
    text = text.replace(
        "        with m.If(self.wb_cyc & self.wb_stb & ~self.wb_ack):", "        with m.If(self.wb_ack):"
    )
    text = text.replace("m.d.sync += [self.wb_ack.eq(1), self.wb_dat_r", "m.d.comb += [self.wb_dat_r")

    async def test(bus):
        await bus.write(8, 77)
        assert await bus.read(8) == 77 + (2 << 16)

    bench(assembled(text), test)


def test_pmod_that_is_only_read_is_an_input(elaborate):
    text = SLAVE.replace("self.pmod.eq(Cat(self.button, C(1, 2)))", "self.not_a_pin.eq(self.pmod)")
    assert elaborate(text).manifest.pins[-1] == Pin("pmod", "pmod", "i", 8)
