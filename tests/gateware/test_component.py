"""Form 1: what the ports of an Amaranth component become, and how the registers behave on the bus."""

import itertools

import pytest

from jupyter_fpga.gateware.manifest import Array, Field, Memory, Pin, Register, Window

KINDS = """\
from amaranth.lib import data, enum
from amaranth.lib.wiring import Signature


class Mode(enum.Enum, shape=2):
    OFF = 0
    ON = 1


class Trim(enum.Enum, shape=signed(3)):
    LESS = -1
    MORE = 1


class Inner(data.Struct):
    x: 3
    y: signed(4)


class Status(data.Struct):
    done: 1
    mode: Mode
    inner: Inner
    pair: data.ArrayLayout(2, 2)


class Everything(wiring.Component):
    duty: In(8, init=3)  # How bright.
    mode: In(Mode, init=Mode.ON)
    \"\"\"What to do,
    and when.\"\"\"
    # Thousandths
    # of a degree.
    trim: In(Trim, init=Trim.LESS)
    offset: In(signed(12), init=-2)
    count: Out(40)
    status: Out(Status)
    taps: In(5, init=7).array(3)
    grid: In(1).array(2, 2)
    pair: Out(Signature({"a": Out(4), "b": In(6)}))  # A pair.
    led: Out(1)
    buttons: In(4)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        m.d.comb += [self.status.done.eq(1), self.pair.a.eq(self.pair.b), self.led.eq(self.duty[0])]
        return m
"""


def test_every_kind_of_port(elaborate):
    manifest = elaborate(KINDS).manifest
    assert manifest.form == "amaranth_component"
    assert manifest.top == "Everything"
    assert manifest.registers == [
        Register("duty", 0x00, 8, 1, "rw", reset=3, doc="How bright."),
        Register("mode", 0x04, 2, 1, "rw", reset=1, doc="What to do, and when.", enum={"OFF": 0, "ON": 1}),
        Register(
            "trim", 0x08, 3, 1, "rw", reset=7, doc="Thousandths of a degree.", signed=True, enum={"LESS": -1, "MORE": 1}
        ),
        Register("offset", 0x0C, 12, 1, "rw", reset=0xFFE, signed=True),
        Register("count", 0x10, 40, 2, "ro"),
        Register(
            "status",
            0x18,
            14,
            1,
            "ro",
            fields=[
                Field("done", 0, 1, access="ro"),
                Field("mode", 1, 2, enum={"OFF": 0, "ON": 1}, access="ro"),
                Field("inner_x", 3, 3, access="ro"),
                Field("inner_y", 6, 4, signed=True, access="ro"),
                Field("pair_0", 10, 2, access="ro"),
                Field("pair_1", 12, 2, access="ro"),
            ],
        ),
        Register("taps", 0x1C, 5, 1, "rw", reset=7, array=Array(3, 4)),
        Register("grid_0", 0x28, 1, 1, "rw", array=Array(2, 4)),
        Register("grid_1", 0x30, 1, 1, "rw", array=Array(2, 4)),
        Register("pair_a", 0x38, 4, 1, "ro", doc="A pair."),
        Register("pair_b", 0x3C, 6, 1, "rw", doc="A pair."),
        Register("led", 0x40, 1, 1, "ro"),
        Register("buttons", 0x44, 4, 1, "ro"),
    ]
    assert manifest.window == Window(0x3000_0000, 0x48)
    assert manifest.pins == [Pin("led", "led", "o", 1), Pin("buttons", "buttons", "i", 4)]
    assert manifest.memories == []
    assert manifest.warnings == []


WISHBONE = """\
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import Signature

Bus = Signature({
    "adr": Out(4), "dat_w": Out(32), "dat_r": In(32), "sel": Out(4),
    "cyc": Out(1), "stb": Out(1), "we": Out(1), "ack": In(1),
})

class Store(wiring.Component):
    scale: In(8, init=1)
    more: In(8).array(2)
    bus: In(Bus)  # Sixteen words.
    last: Out(32)

    def elaborate(self, platform):
        m = Module()
        m.submodules.ram = ram = Memory(shape=32, depth=16, init=[5])
        read, write = ram.read_port(domain="comb"), ram.write_port()
        m.d.comb += [
            read.addr.eq(self.bus.adr), write.addr.eq(self.bus.adr), write.data.eq(self.bus.dat_w),
            self.bus.dat_r.eq(read.data + self.scale - 1), self.bus.ack.eq(self.bus.cyc & self.bus.stb),
            write.en.eq(self.bus.ack & self.bus.we),
        ]
        with m.If(write.en):
            m.d.sync += self.last.eq(self.bus.dat_w)
        return m
"""


def test_wishbone_member_is_a_region_after_the_registers(elaborate):
    manifest = elaborate(WISHBONE).manifest
    assert [(register.name, register.offset) for register in manifest.registers] == [
        ("scale", 0),
        ("more", 4),
        ("last", 12),
    ]
    # The first multiple of its own size (64 bytes) after them.
    assert manifest.memories == [Memory("bus", 64, 16, 32, "rw", "Sixteen words.")]
    assert manifest.window.size == 128


def test_wishbone_member_on_the_bus(assembled, bench):
    async def test(bus):
        assert await bus.read(64) == 5
        await bus.write(64 + 4 * 15, 0xFFFF_FFFF)
        assert await bus.read(12) == 0xFFFF_FFFF
        await bus.write(0, 3)
        assert await bus.read(64) == 7
        assert await bus.read(64 + 4 * 15) == 1
        # Nothing between the registers and the region, and nothing behind it.
        assert await bus.read(16) is None
        assert await bus.read(60) is None
        assert await bus.read(128) is None

    bench(assembled(WISHBONE), test)


REGISTERS = """\
class Registers(wiring.Component):
    gain: In(8, init=3)
    big: In(70, init=1)
    taps: In(40).array(2)
    trim: In(signed(4))
    count: Out(64, init=0xFFFF_FFF0)
    echo: Out(70)
    tap: Out(40)
    sum: Out(signed(9))

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        m.d.comb += [self.echo.eq(self.big), self.tap.eq(self.taps[1]), self.sum.eq(self.trim + self.gain)]
        return m
"""

GAIN, BIG, TAPS, TRIM, COUNT, ECHO, TAP, SUM = 0x00, 0x04, 0x10, 0x20, 0x24, 0x2C, 0x38, 0x40


def test_offsets_that_these_tests_use(elaborate):
    registers = elaborate(REGISTERS).manifest.registers
    assert [register.offset for register in registers] == [GAIN, BIG, TAPS, TRIM, COUNT, ECHO, TAP, SUM]


def test_plain_registers_on_the_bus(assembled, bench):
    async def test(bus):
        assert await bus.read(GAIN) == 3
        await bus.write(GAIN, 0x1FF)
        assert await bus.read(GAIN) == 0xFF
        await bus.write(TRIM, 0xE)
        # -2 + 255, in nine bits; and the raw bits of a signed register come back without extension.
        assert await bus.read(SUM) == 253
        assert await bus.read(TRIM) == 0xE
        # An output can't be written: acknowledged, and without effect.
        await bus.write(SUM, 5)
        assert await bus.read(SUM) == 253

    bench(assembled(REGISTERS), test)


def test_wide_write_takes_effect_with_its_last_word(assembled, bench):
    async def test(bus):
        assert await bus.read_words(ECHO, 3) == [0, 0, 1]
        await bus.write(BIG, 0x3F)
        await bus.write(BIG + 4, 0x89AB_CDEF)
        assert await bus.read_words(ECHO, 3) == [0, 0, 1]
        await bus.write(BIG + 8, 0x0123_4567)
        assert await bus.read_words(ECHO, 3) == [0x3F, 0x89AB_CDEF, 0x0123_4567]
        assert await bus.read_words(BIG, 3) == [0x3F, 0x89AB_CDEF, 0x0123_4567]
        # The last word alone repeats the others that were written before.
        await bus.write(BIG + 8, 7)
        assert await bus.read_words(ECHO, 3) == [0x3F, 0x89AB_CDEF, 7]

    bench(assembled(REGISTERS), test)


def test_elements_of_an_array_are_separate(assembled, bench):
    async def test(bus):
        await bus.write(TAPS, 0x11)
        await bus.write(TAPS + 8, 0x22)
        await bus.write(TAPS + 4, 1)
        await bus.write(TAPS + 12, 2)
        assert await bus.read_words(TAPS, 4) == [0x11, 1, 0x22, 2]
        assert await bus.read_words(TAP, 2) == [0x22, 2]

    bench(assembled(REGISTERS), test)


def test_wide_read_is_of_one_moment(assembled, bench):
    async def test(bus):
        # The counter carries into its high word between the two reads; the pair is of one moment all the same.
        seen = []
        for _ in range(16):
            high = await bus.read(COUNT)
            await bus.idle(3)
            low = await bus.read(COUNT + 4)
            seen.append(high << 32 | low)
        steps = {after - before for before, after in itertools.pairwise(seen)}
        assert len(steps) == 1
        assert seen[0] < 1 << 32 <= seen[-1]

    bench(assembled(REGISTERS), test)


PINS = """\
from amaranth.lib.wiring import Signature

class Pins(wiring.Component):
    leds: Out(8)
    button: In(1)
    switches: In(8)
    pmod: Out(8)
    uart: Out(Signature({"tx": Out(1), "rx": In(1)}))

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.leds.eq(self.switches ^ self.button), self.pmod.eq(0x5A), self.uart.tx.eq(~self.uart.rx)]
        return m
"""


def test_pins_are_wired_and_readable(assembled, bench):
    design = assembled(PINS)

    async def test(bus):
        bus.set("switches", 0xF0)
        bus.set("buttons", 0b1111)
        assert await bus.read(0) == 0xF1
        assert bus.get("leds") == 0xF1
        assert await bus.read(8) == 0xF0
        assert bus.get("pmod_o") == 0x5A
        assert bus.get("pmod_oe") == 0xFF
        assert bus.get("console_tx") == 1
        bus.set("console_rx", 1)
        await bus.idle(1)
        assert bus.get("console_tx") == 0
        # A pin's register can't be written.
        await bus.write(8, 0)
        assert await bus.read(8) == 0xF0

    bench(design, test)


def test_pins_in_the_manifest(elaborate):
    assert elaborate(PINS).manifest.pins == [
        Pin("leds", "leds", "o", 8),
        Pin("button", "button", "i", 1),
        Pin("switches", "switches", "i", 8),
        Pin("pmod", "pmod", "o", 8),
        Pin("uart", "uart_tx", "o", 1),
        Pin("uart", "uart_rx", "i", 1),
    ]


def test_pmod_as_input(elaborate):
    text = (
        "class Top(wiring.Component):\n    pmod: In(8)\n    def elaborate(self, platform):\n        return Module()\n"
    )
    result = elaborate(text)
    assert result.manifest.pins == [Pin("pmod", "pmod", "i", 8)]
    assert result.register("pmod").access == "ro"


def test_component_with_flat_wishbone_ports_has_it_at_offset_zero(assembled, bench):
    async def test(bus):
        await bus.write(4, 0xABCD)
        assert await bus.read(0) == 0x1_0000
        assert await bus.read(4) == 0xABCD
        # Four words of the slave, then the register.
        assert await bus.read(16) == 0xABCD
        assert await bus.read(20) is None

    bench(
        assembled("""\
class Slave(wiring.Component):
    wb_cyc: In(1)
    wb_stb: In(1)
    wb_we: In(1)
    wb_adr: In(2)
    wb_dat_w: In(32)
    wb_sel: In(4)
    wb_dat_r: Out(32)
    wb_ack: Out(1)
    last: Out(32)

    def elaborate(self, platform):
        m = Module()
        m.d.comb += [
            self.wb_ack.eq(self.wb_cyc & self.wb_stb),
            self.wb_dat_r.eq(Mux(self.wb_adr == 1, self.last, 0x10000 + self.wb_adr)),
        ]
        with m.If(self.wb_ack & self.wb_we):
            m.d.sync += self.last.eq(self.wb_dat_w)
        return m
"""),
        test,
    )


@pytest.mark.parametrize("width", [1, 31, 32, 33, 64, 65])
def test_words_of_a_width(elaborate, width):
    result = elaborate(
        f"class Top(wiring.Component):\n    x: In({width})\n    y: In(1)\n"
        "    def elaborate(self, platform):\n        return Module()\n"
    )
    words = -(-width // 32)
    assert result.register("x").words == words
    assert result.register("y").offset == 4 * words


def test_constant_output(elaborate):
    result = elaborate(
        "class Top(wiring.Component):\n    version: Out(8, init=7)\n"
        "    def elaborate(self, platform):\n        return Module()\n"
    )
    assert result.register("version").reset == 7
