"""What a person reads when their design is wrong: the whole sentence, and the line in their own text."""

import pytest

HEAD = "class Top(wiring.Component):\n"
BODY = "    def elaborate(self, platform):\n        m = Module()\n"
TAIL = "        return m\n"


def design(ports, body):
    """A component: its ports begin in line 2."""
    lines = "".join(f"    {port}\n" for port in ports)
    statements = "".join(f"        {statement}\n" for statement in body)
    return HEAD + lines + BODY + statements + TAIL


#: name: (text, code, line, message)
CASES = {
    "syntax": (
        "x = 1\nclass Top(wiring.Component)\n    y: In(1)\n",
        "syntax_error",
        2,
        "Python can't read line 2: expected ':'.",
    ),
    "indentation": (
        "class Top(wiring.Component):\n    y: In(1)\n  z: In(1)\n",
        "syntax_error",
        3,
        "Python can't read line 3: unindent does not match any outer indentation level.",
    ),
    "exception while running": ("x = 1\ny = x / 0\n", "elaboration_failed", 2, "ZeroDivisionError: division by zero."),
    "exception while elaborating": (
        design(["x: In(4)"], ["m.d.comb += self.y.eq(1)"]),
        "elaboration_failed",
        5,
        "AttributeError: 'Top' object has no attribute 'y'.",
    ),
    "Amaranth's own refusal": (
        design(["x: Out(4)"], ["with m.Else():", "    m.d.comb += self.x.eq(1)"]),
        "elaboration_failed",
        5,
        "SyntaxError: Else without preceding If/Elif.",
    ),
    "exit": ("import sys\nsys.exit(3)\n", "elaboration_failed", 2, "The design called exit(3); remove that."),
    "import": (
        "import torch\n",
        "import_error",
        1,
        "There is no module 'torch' here; a design may import the Python standard library, amaranth, migen, litex, "
        "numpy and the files of its own bundle.",
    ),
    "platform": (
        design(["x: Out(1)"], ["led = platform.request('led')", "m.d.comb += led.o.eq(1)"]),
        "no_platform",
        5,
        "The design asks its platform for 'request', but in the lab an Amaranth design gets no platform (it is None); "
        "name a port after the resource that it needs, such as led, instead.",
    ),
    "resource width": (
        design(["leds: Out(4)"], ["m.d.comb += self.leds.eq(1)"]),
        "resource_mismatch",
        2,
        "The port leds is 4 bits out, and the resource leds of the target simulated is 8 bits out; "
        "change the port, or give it another name to have a register instead.",
    ),
    "resource direction": (
        design(["x: In(1)", "button: Out(1)"], ["m.d.comb += self.button.eq(1)"]),
        "resource_mismatch",
        3,
        "The port button is 1 bit out, and the resource button of the target simulated is 1 bit in; "
        "change the port, or give it another name to have a register instead.",
    ),
    "resource of two directions": (
        design(["pmod: In(3)"], []),
        "resource_mismatch",
        2,
        "The port pmod is 3 bits in, and the resource pmod of the target simulated is 8 bits in or 8 bits out; "
        "change the port, or give it another name to have a register instead.",
    ),
    "resource as an array": (
        design(["led: Out(1).array(2)"], ["m.d.comb += self.led[0].eq(1)", "m.d.comb += self.led[1].eq(1)"]),
        "resource_mismatch",
        2,
        "The port led is an array of 2 × 1 bit out, and the resource led of the target simulated is 1 bit out; "
        "change the port, or give it another name to have a register instead.",
    ),
    "one pin twice": (
        design(["led: Out(1)", "leds: Out(8)"], ["m.d.comb += [self.led.eq(1), self.leds.eq(1)]"]),
        "pin_clash",
        3,
        "The ports led and leds both drive leds[0]; keep one of them.",
    ),
    "name clash": (
        design(["a_b: In(1)", 'a: In(wiring.Signature({"b": Out(1)}))'], []),
        "name_clash",
        3,
        "Two ports of the design are both called a_b outside (an interface's members are joined to its name by _); "
        "rename one of them.",
    ),
    "undriven output": (
        design(["x: In(4)", "y: Out(4)"], []),
        "undriven_output",
        3,
        "Nothing drives the output y; assign to it in elaborate, or give it an init value if it is meant to be a "
        "constant.",
    ),
    "undriven answer of a bus": (
        "Bus = wiring.Signature(dict(adr=Out(4), dat_w=Out(32), dat_r=In(32), sel=Out(4), cyc=Out(1), stb=Out(1), "
        "we=Out(1), ack=In(1)))\n" + design(["bus: In(Bus)"], ["m.d.comb += self.bus.dat_r.eq(1)"]),
        "undriven_output",
        3,
        "Nothing drives the output bus.ack; assign to it in elaborate, or give it an init value if it is meant to be a "
        "constant.",
    ),
    "two domains": (
        design(["x: In(4)", "y: Out(4)"], ["m.d.comb += self.y.eq(1)", "m.d.sync += self.y.eq(2)"]),
        "multiple_drivers",
        7,
        "The signal y is driven from more than one place; drive it from one module and one domain only.",
    ),
    "two modules": (
        "class Part(Elaboratable):\n"
        "    def __init__(self, y):\n"
        "        self.y = y\n"
        "    def elaborate(self, platform):\n"
        "        m = Module()\n"
        "        m.d.comb += self.y.eq(1)\n"
        "        return m\n"
        + design(["y: Out(4)"], ["m.submodules.part = Part(self.y)", "m.d.comb += self.y.eq(2)"]),
        "multiple_drivers",
        6,
        "The signal y is driven from more than one place in lines 6 and 13; drive it from one module and one domain "
        "only.",
    ),
    "an input driven": (
        design(["x: In(4)"], ["m.d.comb += self.x.eq(1)"]),
        "multiple_drivers",
        5,
        "The input x is driven by the lab and by the design itself in line 5; make it an output, "
        "or drive another signal.",
    ),
    "loop": (
        design(
            ["x: In(4)", "y: Out(4)"],
            ["a = Signal(4)", "m.d.comb += a.eq(self.y)", "m.d.comb += self.y.eq(a + 1)"],
        ),
        "combinational_loop",
        8,
        "The design has a combinational loop, a → y → a; put a register (m.d.sync) somewhere into it.",
    ),
    "undeclared domain": (
        design(["y: Out(4)"], ["m.d.pix += self.y.eq(1)"]),
        "undeclared_domain",
        5,
        "The clock domain pix is used but declared nowhere; use sync, the one that the target simulated has.",
    ),
    "undeclared domain of a renamer": (
        design(
            ["y: Out(4)"],
            ["part = Module()", "part.d.sync += self.y.eq(1)", 'm.submodules.part = DomainRenamer("pix")(part)'],
        ),
        "undeclared_domain",
        7,
        "The clock domain pix is used but declared nowhere; use sync, the one that the target simulated has.",
    ),
    "second clock": (
        design(["y: Out(4)"], ["m.domains.pix = ClockDomain()", "m.d.pix += self.y.eq(1)"]),
        "no_clock",
        5,
        "The clock domain pix has no clock: nothing drives it, and the target simulated makes one clock only, sync at "
        "12 MHz; use sync with an enable.",
    ),
    "clock made by the design": (
        design(
            ["y: Out(4)"],
            [
                "half = Signal()",
                "m.d.sync += half.eq(~half)",
                "m.domains.pix = ClockDomain(reset_less=True)",
                "m.d.comb += ClockSignal('pix').eq(half)",
                "m.d.pix += self.y.eq(self.y + 1)",
            ],
        ),
        "derived_clock",
        7,
        "The clock domain pix is clocked by a signal that the design makes itself, and the target simulated knows one "
        "clock only; use sync with an enable.",
    ),
    "stream": (
        design(["x: In(stream.Signature(8))"], []),
        "not_supported",
        2,
        "The port x is a stream, which the lab doesn't take yet; give the design ports for data, valid and ready "
        "instead.",
    ),
    "initiator": (
        "Bus = wiring.Signature(dict(adr=Out(4), dat_w=Out(32), dat_r=In(32), sel=Out(4), cyc=Out(1), stb=Out(1), "
        "we=Out(1), ack=In(1)))\n" + design(["bus: Out(Bus)"], []),
        "not_supported",
        3,
        "The port bus is a Wishbone initiator, and the window has nothing for it to talk to; "
        "declare it In(…) to be a slave.",
    ),
    "bus without an answer": (
        'Bus = wiring.Signature({"cyc": Out(1), "stb": Out(1)})\n' + design(["bus: In(Bus)"], []),
        "bad_wishbone",
        3,
        "The port bus looks like a Wishbone bus, but has no adr, dat_w, dat_r, sel, we, ack; "
        "a slave has adr, dat_w, dat_r, sel, cyc, stb, we, ack.",
    ),
    "narrow bus": (
        "Bus = wiring.Signature(dict(adr=Out(4), dat_w=Out(8), dat_r=In(8), sel=Out(1), cyc=Out(1), stb=Out(1), "
        "we=Out(1), ack=In(1)))\n" + design(["bus: In(Bus)"], []),
        "bad_wishbone",
        3,
        "bus.dat_w is 8 bits wide, and the lab's bus has 32.",
    ),
    "wide address": (
        "Bus = wiring.Signature(dict(adr=Out(30), dat_w=Out(32), dat_r=In(32), sel=Out(4), cyc=Out(1), stb=Out(1), "
        "we=Out(1), ack=In(1)))\n" + design(["bus: In(Bus)"], []),
        "bad_wishbone",
        3,
        "bus.adr is 30 bits wide, and the window of the target simulated has room for 18 (1 MiB).",
    ),
    "half a flat bus": (
        design(["wb_adr: In(4)", "wb_cyc: In(1)", "wb_ack: Out(1)"], ["m.d.comb += self.wb_ack.eq(1)"]),
        "bad_wishbone",
        2,
        "The design has wb_adr, wb_cyc, wb_ack, and a Wishbone slave needs wb_dat_w, wb_dat_r, wb_sel, wb_stb, wb_we "
        "as well.",
    ),
    "no bits": (
        design(["x: In(0)"], []),
        "empty_port",
        2,
        "The port x has no bits; give it a width of at least 1.",
    ),
    "full window": (
        design(["x: In(32).array(300000)"], []),
        "window_full",
        None,
        "The design's registers and buses need 1200000 bytes of the bus, and the window of the target simulated has "
        "1048576; make its Wishbone addresses or its arrays smaller.",
    ),
    "own sync": (
        design(["y: Out(4)"], ["m.domains.sync = ClockDomain()", "m.d.sync += self.y.eq(1)"]),
        "clock_domain",
        5,
        "The design declares the clock domain sync itself, and the lab already drives that one; "
        "leave the declaration out, or give the domain another name.",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "code", "line", "message"), CASES.values(), ids=list(CASES))
def test_error(elaborate, text, code, line, message):
    error = elaborate(text).error
    assert error["message"] == message
    assert (error["code"], error["line"]) == (code, line)
    assert error["file"] == ("design.py" if line else None)
    assert error["text"] == (text.splitlines()[line - 1].strip() if line else None)


def test_second_domain_on_the_same_clock(elaborate):
    ports, body = ["y: Out(4)"], ["m.domains.late = ClockDomain(clk_edge='neg', reset_less=True)"]
    body += ["m.d.comb += ClockSignal('late').eq(ClockSignal())", "m.d.late += self.y.eq(self.y + 1)"]
    assert elaborate(design(ports, body)).register("y").width == 4


def test_frames_are_the_persons_only(elaborate):
    files = {
        "helper.py": "def half(x):\n    return 1 / x\n",
        "blinky.py": "from helper import half\n\nclass Top(wiring.Component):\n    x: In(1)\n"
        "    def elaborate(self, platform):\n        half(0)\n",
    }
    error = elaborate(files, entry="blinky.py").error
    assert error == {
        "code": "elaboration_failed",
        "message": "ZeroDivisionError: division by zero.",
        "file": "helper.py",
        "line": 2,
        "column": None,
        "text": "return 1 / x",
        "frames": [
            {"file": "blinky.py", "line": 6, "function": "elaborate", "text": "half(0)"},
            {"file": "helper.py", "line": 2, "function": "half", "text": "return 1 / x"},
        ],
    }


def test_syntax_error_in_an_imported_file(elaborate):
    error = elaborate({"helper.py": "def half(x:\n", "design.py": "import helper\n"}).error
    assert (error["file"], error["line"], error["column"]) == ("helper.py", 1, 9)
    assert error["message"] == "Python can't read line 1: '(' was never closed."


def test_not_utf8(elaborate):
    error = elaborate({"design.py": b"x = 1\ny = '\xe4'\n"}).error
    assert (error["code"], error["line"]) == ("not_utf8", 2)
    assert error["message"] == ("design.py is not text in UTF-8: byte 0xe4 in line 2 is none; save the file as UTF-8.")


def test_null_byte(elaborate):
    error = elaborate({"design.py": b"x = 1\n\0\n"}).error
    assert error["code"] == "syntax_error"
    assert error["message"] == "Python can't read the text: source code string cannot contain null bytes."


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (
            {"target": "moon"},
            "unknown_target",
            "There is no target 'moon'; `jupyter fpga targets` lists what there is, and litex:NAME is any platform of "
            "LiteX.",
        ),
        (
            {"sys_clk_freq": 5},
            "bad_clock",
            "The target simulated runs at 1000000 to 200000000 Hz, not at 5 Hz; choose a sys_clk_freq between these.",
        ),
        ({"entry": "design.txt"}, "bad_entry", "design.txt is neither a .py nor a .v file; a design is one of these."),
    ],
)
def test_bad_request(elaborate, request_, code, message):
    error = elaborate("x = 1\n", **request_).error
    assert (error["code"], error["message"]) == (code, message)


def test_failure_of_the_lab_itself_is_no_design_error(elaborate):
    result = elaborate({"other.py": ""}, entry="design.py")
    assert result.code == 1
    assert not (result.folder / "error.json").exists()
    assert "FileNotFoundError" in result.output


def test_warnings_name_the_line(elaborate):
    text = "import warnings\n" + design(["x: In(1)"], ["warnings.warn('It is cold.')"])
    (warning,) = elaborate(text).manifest.warnings
    assert (warning.message, warning.file, warning.line) == ("It is cold.", "design.py", 6)


def test_part_that_is_never_added_is_warned_of(elaborate):
    part = "class _Part(Elaboratable):\n    def elaborate(self, platform):\n        return Module()\n"
    (warning,) = elaborate(part + design(["x: In(1)"], ["part = _Part()"])).manifest.warnings
    assert (warning.file, warning.line) == ("design.py", 8)
    assert warning.message.endswith("created but never used")


def test_nothing_is_said_of_unused_parts_when_the_design_fails(elaborate):
    part = "class _Part(Elaboratable):\n    def elaborate(self, platform):\n        return Module()\n"
    result = elaborate(part + design(["x: In(1)"], ["self.part = _Part()", "1 / 0"]))
    assert result.error["line"] == 9
    assert result.output == ""
