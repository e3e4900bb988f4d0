"""Form 5: Verilog modules, alone and in bundles."""

import pytest

from jupyter_fpga.gateware.manifest import DesignWarning, Memory, Pin, Register, Window

COUNTER = """\
// Counts.
module counter #(parameter WIDTH = 40, parameter STEP = 1) (
    input clk,
    input rst,
    input enable,          // Counts while 1.
    input signed [7:0] trim,
    output reg [WIDTH-1:0] count = 5, // So far.
    output signed [8:0] sum,
    output [7:0] leds
);
    always @(posedge clk)
        if (rst) count <= 5;
        else if (enable) count <= count + STEP;
    assign sum = trim + 9'sd1;
    assign leds = count[7:0];
endmodule
"""


def verilog(elaborate, text, **request):
    return elaborate({"design.v": text}, entry="design.v", **request)


def test_ports_become_registers(elaborate):
    manifest = verilog(elaborate, COUNTER).manifest
    assert (manifest.form, manifest.top) == ("verilog", "counter")
    assert manifest.registers == [
        Register("enable", 0, 1, 1, "rw", doc="Counts while 1."),
        Register("trim", 4, 8, 1, "rw", signed=True),
        Register("count", 8, 40, 2, "ro", reset=5, doc="So far."),
        Register("sum", 16, 9, 1, "ro", signed=True),
        Register("leds", 20, 8, 1, "ro"),
    ]
    assert manifest.pins == [Pin("leds", "leds", "o", 8)]


def test_module_on_the_bus(elaborate, run):
    machine = run(verilog(elaborate, COUNTER, params={"WIDTH": 33, "STEP": 3}))
    assert machine.read_words(8, 2) == [0, 5]
    machine.write(0, 1)
    machine.write(0, 0)
    (_, low) = machine.read_words(8, 2)
    assert low > 5
    assert (low - 5) % 3 == 0
    assert machine.get("leds") == low & 0xFF
    machine.write(4, 0xFE)
    # -2 + 1, in nine bits.
    assert machine.read(16) == 0x1FF
    machine.set("rst", 1)
    machine.set("rst", 0)
    assert machine.read_words(8, 2) == [0, 5]
    assert machine.read(4) == 0
    assert machine.read(24) is None


def test_parameters_change_widths(elaborate):
    result = verilog(elaborate, COUNTER, params={"WIDTH": "65"})
    assert result.register("count").words == 3
    assert result.manifest.parameters == {"WIDTH": "65"}


def test_unknown_parameter(elaborate):
    error = verilog(elaborate, COUNTER, params={"width": 3}).error
    assert error["code"] == "unknown_param"
    assert error["message"] == "The module counter has no parameter 'width'; it has STEP, WIDTH."


def test_parameter_that_verilog_has_no_word_for(elaborate):
    error = verilog(elaborate, COUNTER, params={"WIDTH": [1]}).error
    assert error["code"] == "bad_param"
    assert error["message"] == (
        "The parameter WIDTH can't be [1]; a parameter of a Verilog module is a whole number or a short text."
    )


SLAVE = """\
module slave (
    input clk, input rst,
    input wb_cyc, input wb_stb, input wb_we, input [3:0] wb_adr, input [31:0] wb_dat_w, input [3:0] wb_sel,
    output [31:0] wb_dat_r, output wb_ack,
    input [31:0] scale,
    input [3:0] buttons
);
    reg [31:0] memory [0:15];
    initial $readmemh("table.hex", memory);
    assign wb_ack = wb_cyc & wb_stb;
    assign wb_dat_r = memory[wb_adr] + scale + buttons;
    always @(posedge clk) if (wb_ack & wb_we) memory[wb_adr] <= wb_dat_w;
endmodule
"""


def test_wishbone_slave_with_a_table_of_its_own(elaborate, run):
    files = {"design.v": SLAVE, "table.hex": "".join(f"{value:08x}\n" for value in range(100, 116))}
    result = elaborate(files, entry="design.v")
    assert result.manifest.memories == [Memory("wb", 0, 16, 32, "rw")]
    assert result.manifest.window == Window(0x3000_0000, 72)
    machine = run(result)
    assert machine.read(0) == 100
    assert machine.read(60) == 115
    machine.write(4, 7)
    machine.write(64, 1000)
    machine.set("buttons", 3)
    assert machine.read(4) == 1010
    assert machine.read(68) == 3
    assert machine.read(72) is None


def test_table_that_is_not_there(elaborate):
    error = verilog(elaborate, SLAVE).error
    assert (error["code"], error["line"]) == ("elaboration_failed", 9)
    assert error["message"] == "Yosys refuses the design: Can not open file `table.hex` for $readmemh."


def test_files_outside_the_bundle_are_out_of_reach(elaborate):
    text = SLAVE.replace("table.hex", "/etc/hostname")
    error = verilog(elaborate, text).error
    assert error["message"] == "Yosys refuses the design: Can not open file `/etc/hostname` for $readmemh."


TWO = """\
module a(input clk, input x, output y); assign y = x; endmodule
module {second}(input clk, input x, output y); {body} endmodule
"""


def test_the_module_that_nobody_uses_is_the_top(elaborate):
    text = TWO.format(second="b", body="a part(.clk(clk), .x(x), .y(y));")
    assert verilog(elaborate, text).manifest.top == "b"


def test_several_modules(elaborate):
    text = TWO.format(second="b", body="assign y = ~x;")
    assert verilog(elaborate, text, top="a").manifest.top == "a"
    error = verilog(elaborate, text).error
    assert (error["code"], error["line"]) == ("several_tops", 2)
    assert error["message"] == (
        "The design has several possible tops: a (line 1), b (line 2); call one of them top, or say which with --top a."
    )


def test_module_called_top(elaborate):
    assert verilog(elaborate, TWO.format(second="top", body="assign y = ~x;")).manifest.top == "top"


def test_module_that_is_not_there(elaborate):
    error = verilog(elaborate, TWO.format(second="b", body="assign y = ~x;"), top="c").error
    assert error["code"] == "top_not_found"
    assert error["message"] == ("The design has no module 'c' that could be its top; it has a (line 1), b (line 2).")


def test_modules_of_other_files(elaborate, run):
    files = {
        "whole.v": "module whole(input clk, input [3:0] x, output [3:0] y); part p(.x(x), .y(y)); endmodule\n",
        "lib/part.v": "module part(input [3:0] x, output [3:0] y); assign y = x * 3; endmodule\n",
    }
    machine = run(elaborate(files, entry="whole.v"))
    machine.write(0, 5)
    assert machine.read(4) == 15


def test_bundle_that_names_its_sources(elaborate):
    files = {
        "mrg-project.json": '{"version": 1, "entrypoint": "whole.v", "verilog_sources": ["part.v"]}',
        "whole.v": "module whole(input clk, input x, output y); part p(.x(x), .y(y)); endmodule\n",
        "part.v": "module part(input x, output y); assign y = x; endmodule\n",
        "other.v": "this is no Verilog\n",
    }
    assert elaborate(files, entry="whole.v").manifest.top == "whole"


@pytest.mark.parametrize(
    ("text", "code", "line", "message"),
    [
        (
            "module top(input clk, output q)\n  assign q = 1;\nendmodule\n",
            "syntax_error",
            2,
            "Yosys found a syntax error, unexpected TOK_ASSIGN, expecting ';' in line 2.",
        ),
        (
            "module top(input clk, output q);\n  part p(.q(q));\nendmodule\n",
            "unknown_module",
            None,
            "The design uses a module part that none of its files defines; add the Verilog file that does.",
        ),
        (
            "module top(input clock, output q);\n  assign q = 1;\nendmodule\n",
            "top_unfit",
            1,
            "The module top has no input clk; the lab gives a design its clock by that name.",
        ),
        ("// Nothing.\n", "no_top", None, "The design has no top; design.v defines no module."),
        (
            "module top(input clk,\n  inout q);\nendmodule\n",
            "not_supported",
            2,
            "The port q is inout, which the lab doesn't take; give the design an input and an output.",
        ),
        (
            "module top(input clk, output reg q, input a);\n  always @(posedge clk) q <= a;\n"
            "  always @(posedge clk) q <= 0;\nendmodule\n",
            "multiple_drivers",
            1,
            "The signal q is driven from more than one place; drive it from one only.",
        ),
        (
            "module top(input clk, output [3:0] q);\n  wire [3:0] a;\n  assign q = a;\n"
            "  assign a = q + 1;\nendmodule\n",
            "combinational_loop",
            4,
            "The design has a combinational loop; put a register somewhere into it.",
        ),
        (
            "module top(input clk, output q);\n  wire x;\n  assign x = ~x;\n  assign q = x;\nendmodule\n",
            "combinational_loop",
            3,
            "The design has a combinational loop; put a register somewhere into it.",
        ),
        (
            "module top(input clk,\n  input a,\n  output q);\nendmodule\n",
            "undriven_output",
            3,
            "Nothing drives the output q; assign to it.",
        ),
        (
            "module top(input clk, input a,\n  output [3:0] q);\n  assign q[1] = q[0] & a;\nendmodule\n",
            "undriven_output",
            2,
            "Nothing drives the output q; assign to it.",
        ),
        (
            "module top(input clk, output reg q);\n  reg half;\n  always @(posedge clk) half <= ~half;\n"
            "  always @(posedge half) q <= ~q;\nendmodule\n",
            "derived_clock",
            2,
            "The signal half is made by the design itself and used as a clock, and the target simulated knows one "
            "clock only; use clk with an enable.",
        ),
        (
            "module top(input clk, output [4:0] leds);\n  assign leds = 1;\nendmodule\n",
            "resource_mismatch",
            1,
            "The port leds is 5 bits out, and the resource leds of the target simulated is 8 bits out; "
            "change the port, or give it another name to have a register instead.",
        ),
    ],
)
def test_error(elaborate, text, code, line, message):
    error = verilog(elaborate, text).error
    assert error["message"] == message
    assert (error["code"], error["line"]) == (code, line)
    assert error["file"] == ("design.v" if line else None)
    assert error["text"] == (text.splitlines()[line - 1].strip() if line else None)


def test_error_in_another_file_of_the_bundle(elaborate):
    files = {
        "whole.v": "module whole(input clk, input x, output y); part p(.x(x), .y(y)); endmodule\n",
        "part.v": "module part(input x,\n  output y); assign y = ; endmodule\n",
    }
    error = elaborate(files, entry="whole.v").error
    assert (error["file"], error["line"]) == ("part.v", 2)


def test_warnings(elaborate):
    text = "module top(input clk, input reset_n, input a, output q);\n  wire nobody;\n"
    text += "  assign q = nobody & a;\nendmodule\n"
    assert verilog(elaborate, text).manifest.warnings == [
        DesignWarning("The port reset_n is a register; the board's reset is called rst.", "design.v", 1),
        DesignWarning("Nothing drives the signal nobody, which is used.", "design.v", 2),
    ]


def test_amaranth_with_a_verilog_instance(elaborate, run):
    files = {
        "times.v": "module times #(parameter BY = 2) (input [7:0] x, output [7:0] y); assign y = x * BY; endmodule\n",
        "design.py": """\
class Top(wiring.Component):
    x: In(8)
    y: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.times = Instance("times", p_BY=5, i_x=self.x, o_y=self.y)
        return m
""",
    }
    machine = run(elaborate(files))
    machine.write(0, 7)
    assert machine.read(4) == 35


def test_amaranth_with_an_instance_of_nothing(elaborate):
    error = elaborate("""\
class Top(wiring.Component):
    y: Out(8)

    def elaborate(self, platform):
        m = Module()
        m.submodules.pll = Instance("SB_PLL40_CORE", o_PLLOUTCORE=self.y)
        return m
""").error
    assert error["code"] == "unknown_module"
    assert error["message"] == (
        "The design uses a module SB_PLL40_CORE that none of its files defines; add the Verilog file that does."
    )
