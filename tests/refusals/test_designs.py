"""Designs that are wrong: each gets its own answer."""

import pytest

from .conftest import Person
from .designs import FITS, MEMORY, check, component

# Text, code, sentence, line of the text.
MISTAKES: dict[str, tuple[str, str, str, int | None]] = {
    "a syntax error": ("x = 1\ndef f(:\n", "syntax_error", "Python can't read line 2: invalid syntax.", 2),
    "an exception": (
        component("led: Out(1)", "1 / 0"),
        "elaboration_failed",
        "ZeroDivisionError: division by zero.",
        5,
    ),
    "an exception that can't even be told": (
        "class Mute(Exception):\n    def __str__(self):\n        raise self\n\nraise Mute\n",
        "elaboration_failed",
        "Mute.",
        5,
    ),
    "an exception without end": (
        "raise ValueError('x' * 10_000_000)",
        "elaboration_failed",
        f"ValueError: {'x' * 999}….",
        1,
    ),
    "an interrupt of its own": ("raise KeyboardInterrupt", "elaboration_failed", "KeyboardInterrupt.", 1),
    "an exit": ("import sys\nsys.exit(0)", "elaboration_failed", "The design called exit(0); remove that.", 2),
    "an exit by force": (
        "import os\nos._exit(0)",
        "tool_failed",
        "Elaboration failed: its program left no netlist.json and no manifest.json; look for something in the design "
        "that ends Python by force, such as os._exit.",
        None,
    ),
    "a recursion without end": (
        "def f(): f()\nf()",
        "elaboration_failed",
        "RecursionError: maximum recursion depth exceeded.",
        1,
    ),
    "a package that isn't there": (
        "import no_such_package",
        "import_error",
        "There is no module 'no_such_package' here; a design may import the Python standard library, amaranth, migen, "
        "litex, numpy and the files of its own bundle.",
        1,
    ),
    "no form": ("x = 1\n", "no_top", f"The design has no top; it defines nothing that fits. {FITS}", None),
    "another form": (
        "class Top:\n    pass\n",
        "top_unfit",
        f"Top is a class of another kind; {FITS[0].lower()}{FITS[1:]}",
        1,
    ),
    "several tops": (
        component("a: Out(1, init=1)").replace("Top", "One") + component("a: Out(1, init=1)").replace("Top", "Two"),
        "several_tops",
        "The design has several possible tops: One (line 1), Two (line 6); call one of them Top, or say which with "
        "--top One.",
        6,
    ),
    "names that clash": (
        "class Top(wiring.Component):\n"
        "    def __init__(self):\n"
        "        inner = wiring.Signature({'b': Out(1, init=1)})\n"
        "        super().__init__({'a': Out(inner), 'a_b': Out(1, init=1)})\n"
        "    def elaborate(self, platform):\n        return Module()\n",
        "name_clash",
        "Two ports of the design are both called a_b outside (an interface's members are joined to its name by _); "
        "rename one of them.",
        4,
    ),
    "a resource of another width": (
        component("led: Out(2)"),
        "resource_mismatch",
        "The port led is 2 bits out, and the resource led of the target simulated is 1 bit out; change the port, or "
        "give it another name to have a register instead.",
        2,
    ),
    "an output that nothing drives": (
        component("a: Out(4)"),
        "undriven_output",
        "Nothing drives the output a; assign to it in elaborate, or give it an init value if it is meant to be a "
        "constant.",
        2,
    ),
    "two drivers": (
        component("a: Out(1)", "m.d.comb += self.a.eq(1)", "m.d.sync += self.a.eq(0)"),
        "multiple_drivers",
        "The signal a is driven from more than one place; drive it from one module and one domain only.",
        6,
    ),
    "a loop of logic": (
        component("a: Out(1)", "x = Signal()", "m.d.comb += [x.eq(~self.a), self.a.eq(x)]"),
        "combinational_loop",
        "The design has a combinational loop, a → x → a; put a register (m.d.sync) somewhere into it.",
        6,
    ),
    "a clock from nowhere": (
        component("a: Out(1)", "m.d.pixel += self.a.eq(1)"),
        "undeclared_domain",
        "The clock domain pixel is used but declared nowhere; use sync, the one that the target simulated has.",
        5,
    ),
    "nothing returned": (
        component("a: Out(1, init=1)").replace("        return m\n", ""),
        "elaboration_failed",
        "elaborate returned None, and has to return its Module; end it with `return m`.",
        None,
    ),
    "a platform": (
        component("led: Out(1)", "platform.request('led', 0)"),
        "no_platform",
        "The design asks its platform for 'request', but in the lab an Amaranth design gets no platform (it is None); "
        "name a port after the resource that it needs, such as led, instead.",
        5,
    ),
    "a memory that no board has": (
        "from amaranth.lib.memory import Memory\n"
        + component(
            "at: In(28); out: Out(32)",
            "m.submodules.memory = memory = Memory(shape=32, depth=1 << 28, init=[])",
            "port = memory.read_port()",
            "m.d.comb += [port.addr.eq(self.at), self.out.eq(port.data)]",
        ),
        "memory_limit",
        MEMORY,
        7,
    ),
}


VERILOG: dict[str, tuple[str, str, str, int | None]] = {
    "a syntax error": (
        "module top(input clk;\nendmodule\n",
        "syntax_error",
        "Yosys found a syntax error, unexpected ';', expecting ')' or ',' or '=' in line 1.",
        1,
    ),
    "no module": ("// nothing\n", "no_top", "The design has no top; design.v defines no module.", None),
    "no clock": (
        "module top(input a, output q); assign q = a; endmodule\n",
        "top_unfit",
        "The module top has no input clk; the lab gives a design its clock by that name.",
        1,
    ),
    "several tops": (
        "module a(input clk, output q); assign q = 1; endmodule\n"
        "module b(input clk, output q); assign q = 1; endmodule\n",
        "several_tops",
        "The design has several possible tops: a (line 1), b (line 2); call one of them top, or say which with "
        "--top a.",
        2,
    ),
    "a module that isn't there": (
        "module top(input clk, output q); missing it (.a(clk), .q(q)); endmodule\n",
        "unknown_module",
        "The design uses a module missing that none of its files defines; add the Verilog file that does.",
        None,
    ),
    "a loop of logic": (
        "module top(input clk, output q);\n  wire x;\n  assign x = ~x;\n  assign q = x;\nendmodule\n",
        "combinational_loop",
        "The design has a combinational loop; put a register somewhere into it.",
        3,
    ),
    "passwords, included": (
        '`include "/etc/shadow"\nmodule top(input clk, output q); assign q = 1; endmodule\n',
        "elaboration_failed",
        "Yosys refuses the design: Can't open include file `/etc/shadow'.",
        None,
    ),
    "passwords, as a memory": (
        "module top(input clk, input [7:0] a, output [7:0] q);\n  reg [7:0] m [0:255];\n"
        '  initial $readmemh("/etc/shadow", m);\n  assign q = m[a];\nendmodule\n',
        "elaboration_failed",
        "Yosys refuses the design: Can not open file `/etc/shadow` for $readmemh.",
        3,
    ),
    "a memory that no board has": (
        "module top(input clk, input [27:0] a, input [31:0] d, output reg [31:0] q);\n  reg [31:0] m [0:268435455];\n"
        "  always @(posedge clk) begin q <= m[a]; m[a] <= d; end\nendmodule\n",
        "does_not_fit",
        "The design's memories take 1,024 MiB, and a simulated board has 256 MiB for them; make them smaller.",
        None,
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(ada: Person, case: str) -> None:
    text, *expected = MISTAKES[case]
    check(ada.build(text), *expected)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", VERILOG)
def test_verilog(ada: Person, case: str) -> None:
    text, *expected = VERILOG[case]
    check(ada.build(text, filename="design.v"), *expected)  # type: ignore[arg-type]
