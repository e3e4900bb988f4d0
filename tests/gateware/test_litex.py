"""Form 3: LiteX modules, whose CSRs are the window."""

import pytest

from jupyter_fpga.gateware.manifest import Field, Memory, Pin, Register, Window

TIMER = """\
from litex.gen import LiteXModule
from litex.soc.interconnect.csr import CSR, CSRField, CSRStatus, CSRStorage
from litex.soc.interconnect.csr_eventmanager import EventManager, EventSourceProcess
from migen import *


class _Prescaler(LiteXModule):
    def __init__(self):
        self.divide = CSRStorage(4, reset=1)


class Timer(LiteXModule):
    def __init__(self, platform, sys_clk_freq, width=40):
        self.step = CSRStorage(width, reset=5, description="How far\\n at once.")
        self.value = CSRStatus(width)
        self.control = CSRStorage(fields=[
            CSRField("enable", size=1, description="Runs while 1."),
            CSRField("mode", size=2, offset=4, values=[("0b00", "UP", "Counts up."), ("0b01", "DOWN")]),
            CSRField("clear", size=1, pulse=True),
        ])
        self.clock = CSRStatus(32, reset=int(sys_clk_freq))
        self.pop = CSR(8)
        self.prescaler = _Prescaler()
        self.table = Memory(16, 24, init=[10, 20, 30])
        self.specials += self.table
        self.ev = EventManager()
        self.ev.half = EventSourceProcess(edge="rising")
        self.ev.finalize()
        leds = platform.request("leds")
        self.comb += [leds.eq(self.value.status), self.ev.half.trigger.eq(self.value.status[3])]
        self.sync += [
            If(self.control.fields.enable, self.value.status.eq(self.value.status + self.step.storage)),
            If(self.control.fields.clear, self.value.status.eq(0)),
            If(self.pop.we, self.pop.w.eq(self.pop.w + 1)),
        ]
"""

STEP, VALUE, CONTROL, CLOCK, POP, DIVIDE, EV_STATUS, EV_PENDING, EV_ENABLE = (
    0x00, 0x08, 0x10, 0x14, 0x18, 0x1C, 0x20, 0x24, 0x28,
)  # fmt: skip
TABLE = 0x80


def test_csrs_become_registers(elaborate):
    manifest = elaborate(TIMER).manifest
    assert (manifest.form, manifest.top) == ("litex_module", "Timer")
    assert manifest.registers == [
        Register("step", STEP, 40, 2, "rw", reset=5, doc="How far at once."),
        Register("value", VALUE, 40, 2, "ro"),
        Register(
            "control",
            CONTROL,
            7,
            1,
            "rw",
            fields=[
                Field("enable", 0, 1, doc="Runs while 1."),
                Field("mode", 4, 2, enum={"UP": 0}),
                Field("clear", 6, 1),
            ],
        ),
        Register("clock", CLOCK, 32, 1, "ro", reset=12_000_000),
        Register("pop", POP, 8, 1, "rw", side_effects=True),
        Register("prescaler_divide", DIVIDE, 4, 1, "rw", reset=1),
        Register(
            "ev_status", EV_STATUS, 1, 1, "ro", doc=manifest.registers[6].doc, fields=manifest.registers[6].fields
        ),
        Register(
            "ev_pending", EV_PENDING, 1, 1, "rw", doc=manifest.registers[7].doc, fields=manifest.registers[7].fields
        ),
        Register(
            "ev_enable", EV_ENABLE, 1, 1, "rw", doc=manifest.registers[8].doc, fields=manifest.registers[8].fields
        ),
    ]
    assert [field.name for field in manifest.registers[6].fields] == ["half"]
    # One page is 128 bytes: the power of two that 24 words of memory, more than the registers have, fit into.
    assert manifest.memories == [Memory("table", TABLE, 24, 16, "rw")]
    assert manifest.window == Window(0x3000_0000, TABLE + 4 * 24)
    assert manifest.pins == [Pin("leds", "leds", "o", 8)]


def test_constructor_parameters(elaborate):
    assert elaborate(TIMER, params={"width": 16}, sys_clk_freq=24_000_000).register("value").words == 1


@pytest.fixture
def timer(elaborate, run):
    return run(elaborate(TIMER))


def test_storage_of_two_words_changes_with_the_last(timer):
    timer.write(STEP, 0x12)
    assert timer.read_words(STEP, 2) == [0, 5]
    timer.write(STEP + 4, 0x3456_789A)
    assert timer.read_words(STEP, 2) == [0x12, 0x3456_789A]


def test_status_of_two_words_is_of_one_moment(timer):
    # The low word grows by 0x4000_0000 in each cycle: words of different moments could never be in step.
    timer.write(STEP, 0, 0x4000_0000)
    timer.write(CONTROL, 1)
    for _ in range(8):
        high, low = timer.read_words(VALUE, 2)
        assert low % 0x4000_0000 == 0
        first = high << 32 | low
        high = timer.read(VALUE)
        timer.idle(3)
        low = timer.read(VALUE + 4)
        assert ((high << 32 | low) - first) // 0x4000_0000 == 6


def test_pulse_field_and_event(timer):
    timer.write(STEP, 0, 8)
    assert timer.read(EV_PENDING) == 0
    timer.write(CONTROL, 1)
    timer.write(CONTROL, 0)
    assert timer.read(VALUE + 4) != 0 or timer.read_words(VALUE, 2) != [0, 0]
    assert timer.read(EV_PENDING) == 1
    timer.write(EV_PENDING, 1)
    assert timer.read(EV_PENDING) == 0
    timer.write(CONTROL, 0x40)
    assert timer.read_words(VALUE, 2) == [0, 0]


def test_reading_a_plain_csr_tells_the_design(timer):
    assert [timer.read(POP) for _ in range(3)] == [0, 1, 2]


def test_memory_of_the_design(timer):
    assert timer.read_words(TABLE, 4) == [10, 20, 30, 0]
    timer.write(TABLE + 4 * 23, 0x1_FFFF)
    assert timer.read(TABLE + 4 * 23) == 0xFFFF


def test_nobody_answers_between_and_behind(timer):
    assert timer.read(0x2C) is None
    assert timer.read(TABLE - 4) is None
    assert timer.read(TABLE + 4 * 24) is None
    assert timer.read(DIVIDE) == 1


def test_pins(elaborate, run):
    machine = run(
        elaborate("""\
from litex.gen import LiteXModule
from litex.soc.interconnect.csr import CSRStorage

class Top(LiteXModule):
    def __init__(self, platform):
        self.value = CSRStorage(8)
        pmod, uart = platform.request("pmod"), platform.request("uart")
        buttons = platform.request("buttons")
        self.comb += [
            pmod.o.eq(self.value.storage), pmod.oe.eq(pmod.i), uart.tx.eq(uart.rx),
            platform.request("led").eq(buttons[3]),
        ]
""")
    )
    machine.write(0, 0x5A)
    machine.set("pmod_i", 0x0F)
    machine.set("console_rx", 1)
    assert [machine.get(port) for port in ("pmod_o", "pmod_oe", "console_tx", "leds")] == [0x5A, 0x0F, 1, 0]
    machine.set("buttons", 8)
    assert machine.get("leds") == 1


def test_module_with_autocsr_and_a_second_domain(elaborate, run):
    machine = run(
        elaborate("""\
from litex.soc.interconnect.csr import AutoCSR, CSRStatus
from migen import *

class Top(Module, AutoCSR):
    def __init__(self):
        self.count = CSRStatus(32)
        self.clock_domains.cd_same = ClockDomain(reset_less=True)
        self.comb += self.cd_same.clk.eq(ClockSignal())
        self.sync.same += self.count.status.eq(self.count.status + 1)
""")
    )
    before = machine.read(0)
    machine.idle(40)
    assert machine.read(0) - before == 43


def test_verilog_of_the_bundle(elaborate, run):
    files = {
        "times.v": "module times(input [7:0] x, output [7:0] y); assign y = x * 3; endmodule\n",
        "design.py": """\
from litex.gen import LiteXModule
from litex.soc.interconnect.csr import CSRStatus, CSRStorage
from migen import Instance

class Top(LiteXModule):
    def __init__(self, platform):
        platform.add_source("times.v")
        self.x = CSRStorage(8)
        self.y = CSRStatus(8)
        self.specials += Instance("times", i_x=self.x.storage, o_y=self.y.status)
""",
    }
    machine = run(elaborate(files))
    machine.write(0, 7)
    assert machine.read(4) == 21


def test_module_without_registers(elaborate, run):
    result = elaborate("""\
from litex.gen import LiteXModule

class Top(LiteXModule):
    def __init__(self, platform):
        self.comb += platform.request("leds").eq(platform.request("switches"))
""")
    assert result.manifest.window.size == 0
    machine = run(result)
    machine.set("switches", 0x3C)
    assert machine.get("leds") == 0x3C
    assert machine.read(0) is None


HEAD = """\
from litex.gen import LiteXModule
from litex.soc.interconnect.csr import CSRField, CSRStatus, CSRStorage
from migen import *

class Top(LiteXModule):
    def __init__(self, platform):
        self.x = CSRStorage(8)
        self.y = CSRStatus(8)
"""

#: name: (lines of the constructor, the first of them line 9; code, line, message)
CASES = {
    "undriven status": (
        [],
        "undriven_output",
        8,
        "Nothing drives the status register y; assign to it, or give it a reset value if it is meant to be a constant.",
    ),
    "undriven field": (
        [
            "self.comb += self.y.status.eq(1)",
            "self.z = CSRStatus(fields=[CSRField('a'), CSRField('b')])",
            "self.comb += self.z.fields.a.eq(1)",
        ],
        "undriven_output",
        10,
        "Nothing drives the status register z.b; assign to it, or give it a reset value if it is meant to be a "
        "constant.",
    ),
    "undriven pins": (
        ["self.comb += self.y.status.eq(1)", "self.leds = platform.request('leds')"],
        "undriven_output",
        10,
        "Nothing drives the pins leds; assign to them.",
    ),
    "two drivers": (
        ["self.a = Signal(8)", "self.comb += [self.y.status.eq(self.a), self.a.eq(1)]", "self.sync += self.a.eq(2)"],
        "multiple_drivers",
        9,
        "The signal a is driven from self.comb and from self.sync.sys; drive it from one of them only.",
    ),
    "loop": (
        ["self.a = Signal(8)", "self.comb += [self.y.status.eq(self.a), self.a.eq(self.y.status + 1)]"],
        "combinational_loop",
        None,
        "The design has a combinational loop; put a register somewhere into it.",
    ),
    "undeclared domain": (
        ["self.sync.pix += self.y.status.eq(1)"],
        "undeclared_domain",
        9,
        "The clock domain pix is used but declared nowhere; use sys, the one that the target simulated has.",
    ),
    "domain without a clock": (
        ["self.cd_pix = ClockDomain()", "self.sync.pix += self.y.status.eq(1)"],
        "no_clock",
        9,
        "The clock domain pix has no clock: nothing drives it, and the target simulated makes one clock only, sys at "
        "12 MHz; use sys with an enable.",
    ),
    "clock made by the design": (
        [
            "self.half = Signal()",
            "self.sync += self.half.eq(~self.half)",
            "self.cd_pix = ClockDomain(reset_less=True)",
            "self.comb += self.cd_pix.clk.eq(self.half)",
            "self.sync.pix += self.y.status.eq(self.y.status + 1)",
        ],
        "derived_clock",
        9,
        "The signal half is made by the design itself and used as a clock, and the target simulated knows one clock "
        "only; use clk with an enable.",
    ),
    "unknown resource": (
        ["self.comb += self.y.status.eq(1)", "platform.request('user_led')"],
        "unknown_resource",
        10,
        "The target simulated has no resource user_led; it has led, leds, button, buttons, switches, pmod, uart.",
    ),
    "resource twice": (
        ["self.comb += self.y.status.eq(1)", "platform.request('buttons')", "platform.request('buttons')"],
        "unknown_resource",
        11,
        "The resource buttons is requested twice; request it once, and use platform.lookup_request after that.",
    ),
    "exception": (
        ["self.comb += self.y.eq(1)"],
        "elaboration_failed",
        9,
        "AttributeError: 'CSRStatus' object has no attribute 'eq'.",
    ),
    "large memory": (
        ["self.comb += self.y.status.eq(1)", "self.specials += (m := Memory(32, 300000))", "self.m = m"],
        "window_full",
        None,
        "The design's CSRs and memories need 3297152 bytes of the bus, and the window of the target simulated has "
        "1048576; make its memories smaller.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "code", "line", "message"), CASES.values(), ids=list(CASES))
def test_error(elaborate, lines, code, line, message):
    text = HEAD + "".join(f"        {statement}\n" for statement in lines)
    error = elaborate(text).error
    assert error["message"] == message
    assert (error["code"], error["line"]) == (code, line)
