"""What the steps say when something isn't as it should be, and what is made of generated C++."""

import json
from pathlib import Path

import pytest

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.simulation import _split, synthesize
from jupyter_fpga.gateware.simulation._compiler import Compiler, CompilerError, Unit, find_compiler
from jupyter_fpga.gateware.simulation._cxxrtl import Generated
from jupyter_fpga.gateware.simulation._identifier import identifier_source
from jupyter_fpga.gateware.simulation._registers import Registers

from .conftest import WINDOW, Build

HEADER = """\
namespace lab_design {

struct p_lab__window : public module {
	// comment
	wire<8> p_count;
	/*output*/ wire<8> p_leds;
	/*input*/ value<1> p_clk;
	value<1> prev_p_clk;
	bool posedge_p_clk() const {
		return !prev_p_clk.slice<0>().val() && p_clk.slice<0>().val();
	}
	/*outline*/ value<4> p_low;
	memory<8> memory_p_ram { 16u };
	bool eval(performer *performer = nullptr) override;
	bool commit() override {
		if (p_count.commit(observer)) changed = true;
	}
	void debug_eval();
	debug_outline debug_eval_outline { std::bind(&p_lab__window::debug_eval, this) };

	void debug_info(debug_items *items, debug_scopes *scopes, std::string path) override;
}; // struct p_lab__window

} // namespace lab_design
"""

SOURCE = """\
namespace lab_design {

void p_lab__window::reset() {
	p_count = wire<8>{0u};
}

bool p_lab__window::eval(performer *performer) {
	bool converged = true;
	bool posedge_p_clk = this->posedge_p_clk();
	value<1> p_alias;
	p_alias = p_clk;
	// cell $1
	if (posedge_p_clk) {
		p_count.next = add_uu<8>(p_count.curr, value<1>{1u});
	}
	// cell $2
	if (posedge_p_clk) {
		p_leds.next = p_count.curr;
	}
	return converged;
}

void p_lab__window::debug_eval() {
	p_low = p_count.curr.slice<3,0>().val();
}

CXXRTL_EXTREMELY_COLD
void p_lab__window::debug_info(debug_items *items, debug_scopes *scopes, std::string path, metadata_map &&cell_attrs) {
	if (items) {
		items->add(path, "in \\"the\\" count", "src\\000sa, b", p_count, 0, debug_item::DRIVEN_SYNC);
		items->add(path, "low", "", debug_eval_outline, p_low);
		items->add(path, "second", "", debug_alias(), p_leds, 4);
		static const value<4> const_p_one = value<4>{0x1u};
		items->add(path, "one", "", const_p_one);
		items->add(path, "ram", "", memory_p_ram, 0);
	}
}

} // namespace lab_design
"""


def test_generated_code_is_sorted_into_parts() -> None:
    design = Generated(HEADER, SOURCE, "lab_window")
    assert design.type == "p_lab__window"
    assert design.ports == {"p_leds": "output", "p_clk": "input"}
    assert design.memories() == [("memory_p_ram", 8, 16)]
    assert design.register_bits == 16
    assert design.only_rising_clock
    assert design.settles_at_once
    hot, _, cold = design.text("GLUE\n").partition("#elif LAB_PART == 1")
    assert hot.count("if (posedge_p_clk) {") == 1
    assert hot.endswith("GLUE\n")
    assert "comment" not in hot + cold
    assert "cell" not in hot + cold
    assert "next.p_count = add_uu<8>(curr.p_count, value<1>{1u});" in hot
    assert "p_leds.next = curr.p_count;" in hot
    assert "curr.p_count = next.p_count = value<8>{0u};" in hot
    assert "debug_" not in hot + cold
    assert [line.strip() for line in cold.splitlines() if "to.add(" in line] == [
        'to.add("in \\"the\\" count", curr.p_count.data, 8, 0, false);',
        'to.add("low", p_low.data, 4, 0, true);',
        'to.add("second", p_leds.curr.data, 8, 4, false);',
        'to.add("one", const_p_one.data, 4, 0, false);',
    ]


@pytest.mark.parametrize(
    ("line", "rising", "at_once"),
    [
        ("\tp_low = p_clk;", True, True),
        ("\tp_low = and_uu<1>(p_alias, p_rst);", False, True),
        ("\tp_low = and_uu<1>(p_clk, p_rst);", False, True),
        ("\tif (negedge_p_clk) {\n\t\tp_leds.next = p_count.curr;\n\t}", False, True),
        ("\tif (posedge_p_half) {\n\t\tp_leds.next = p_count.curr;\n\t}", False, True),
        ("\tif (p_arst == value<1> {1u}) {\n\t\tp_leds.next = value<8>{0u};\n\t}", True, False),
    ],
)
def test_what_a_design_looks_at(line: str, rising: bool, at_once: bool) -> None:
    source = SOURCE.replace("\treturn converged;", f"{line}\n\treturn converged;")
    design = Generated(HEADER, source, "lab_window")
    assert (design.only_rising_clock, design.settles_at_once) == (rising, at_once)


def test_logic_in_circles_does_not_settle_at_once() -> None:
    source = SOURCE.replace("bool converged = true;", "bool converged = false;")
    assert not Generated(HEADER, source, "lab_window").settles_at_once


def test_registers_are_committed_together() -> None:
    struct = """\
struct p_x {
	wire<32> p_a;
	/*output*/ wire<8> p_b;
	wire<65> p_c;
	wire<4> p_d;
	bool posedge_p_a() const {
		return !p_a.curr.slice<0>().val() && p_a.next.slice<0>().val();
	}
	bool commit(ObserverT &observer) {
		bool changed = false;
		changed |= p_a.commit(observer);
		changed |= p_b.commit(observer);
		changed |= p_c.commit(observer);
		changed |= p_d.commit(observer);
		return changed;
	}
};
"""
    registers = Registers(struct, "p_x", ports={"p_b": "output"}, uncounted=["p_d"])
    assert (
        registers.struct
        == """\
struct p_x {
	struct registers {
		value<65> p_c;
		value<32> p_a;
	} curr, next;
	/*output*/ wire<8> p_b;
	wire<4> p_d;
	bool posedge_p_a() const {
		return !curr.p_a.slice<0>().val() && next.p_a.slice<0>().val();
	}
	bool commit(ObserverT &observer) {
		bool changed = false;
		if (__builtin_memcmp(&curr, &next, sizeof curr)) {
			curr = next;
			changed = true;
		}
		changed |= p_b.commit(observer);
		p_d.commit(observer);
		return changed;
	}
};
"""
    )
    function = "\tp_a = wire<32>{1u};\n\tp_b = wire<8>{2u};\n\tp_c.next = p_b.curr.concat(p_a.curr);\n"
    assert registers.rename(function) == (
        "\tcurr.p_a = next.p_a = value<32>{1u};\n\tp_b = wire<8>{2u};\n\tnext.p_c = p_b.curr.concat(curr.p_a);\n"
    )


def test_a_module_without_registers_stays_as_it_is() -> None:
    struct = "struct p_x {\n\tvalue<1> p_a;\n\tbool commit(ObserverT &observer) {\n\t\tbool changed = false;\n\t}\n};\n"
    assert Registers(struct, "p_x", ports=[], uncounted=[]).struct == struct


def test_another_kind_of_text_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^") as refused:
        Generated(HEADER.replace(" : public module", ""), SOURCE, "lab_window")
    assert str(refused.value) == "Expected one struct in the C++ that Yosys wrote, found 0."
    with pytest.raises(ValueError, match=r"^") as refused:
        Generated(HEADER, SOURCE.replace("::eval(", "::evaluate("), "lab_window")
    assert str(refused.value) == (
        "Expected the functions reset and eval in the C++ that Yosys wrote, found "
        "['debug_eval', 'debug_info', 'evaluate', 'reset']."
    )


def test_an_unknown_cell_is_an_error_of_the_design(build: Build) -> None:
    text = WINDOW.read_text().replace("endmodule", "  missing it (.a(clk));\nendmodule")
    with pytest.raises(DesignError) as refused:
        build([("netlist.v", text)])
    assert refused.value.message == (
        "Yosys could not turn the netlist into a simulation: Module `\\missing' referenced in module `\\lab_window' in "
        "cell `\\it' is not part of the design."
    )
    assert refused.value.code == "synthesis_failed"


def test_memories_that_no_board_has_room_for(build: Build) -> None:
    huge = "  reg [32:0] huge [0:33554432];\n  assign h = huge[wb_adr];\n  always @(posedge clk) huge[wb_adr] <= h;\n"
    text = WINDOW.read_text().replace("output [7:0] leds,", "output [7:0] leds, output [32:0] h,")
    with pytest.raises(DesignError) as refused:
        build([("netlist.v", text.replace("endmodule", huge + "endmodule"))])
    assert refused.value.message == (
        "The design's memories take 257 MiB, and a simulated board has 256 MiB for them; make them smaller."
    )
    assert refused.value.code == "does_not_fit"


def test_a_window_without_its_ports(tmp_path: Path) -> None:
    (tmp_path / "netlist.v").write_text("module lab_window (input clk, output [7:0] leds); assign leds = 0; endmodule")
    netlist = {"language": "verilog", "files": ["netlist.v"], "top": "lab_window", "whole_soc": False}
    (tmp_path / "netlist.json").write_text(json.dumps(netlist))
    with pytest.raises(ValueError, match=r"^") as refused:
        synthesize.run(tmp_path)
    assert str(refused.value) == (
        "The module p_lab__window lacks the ports rst, wb_adr, wb_dat_w, wb_sel, wb_cyc, wb_stb, wb_we, buttons, "
        "switches, pmod_i, console_rx, wb_dat_r, wb_ack, pmod_o, pmod_oe, console_tx."
    )


def test_the_compiler_says_what_it_did_not_like(tmp_path: Path) -> None:
    (tmp_path / "wrong.cc").write_text("int main() { return nothing; }\n")
    compiler = find_compiler()
    with pytest.raises(CompilerError) as failed:
        compiler.compile([Unit("wrong.cc", "wrong.o")], include=[], work=tmp_path)
    assert str(failed.value).startswith("The C++ compiler failed (")
    assert "nothing" in str(failed.value)


def test_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CompilerError) as missing:
        find_compiler()
    assert str(missing.value) == (
        "No C++ compiler was found: looked for $CXX, c++, g++, clang++ and the Python package ziglang. Install one, "
        'for example with pip install "jupyter-fpga[zig]".'
    )


def test_the_compiler_that_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CXX", "python -m ziglang c++")
    assert find_compiler() == Compiler(("python", "-m", "ziglang", "c++"), "zig")


@pytest.mark.parametrize("text", ["x" * 64, "line\nbreak", "ünicode"])
def test_identifiers_that_do_not_fit(text: str) -> None:
    with pytest.raises(ValueError, match=r"^") as refused:
        identifier_source(text)
    assert str(refused.value) == f"An identifier has at most 63 printable ASCII characters, not {text!r}."


def long_eval(statements: list[str]) -> str:
    head = "bool p_x::eval(performer *performer) {\n\tbool converged = true;\n"
    edges = "\tbool posedge_p_clk = this->posedge_p_clk();\n\tvalue<1> i_a;\n\tvalue<8> p_b;\n"
    return head + edges + "".join(f"{line}\n" for line in statements) + "\treturn converged;\n}\n"


def test_a_long_function_is_cut_into_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_split, "LONG", 0)
    monkeypatch.setattr(_split, "_PIECE", 1)
    split = _split.split_eval(
        long_eval(
            [
                "\ti_a = p_c.curr;",
                "\tauto tmp_0 = memory_index(p_c.curr, 0, 4);",
                "\tif(tmp_0.valid) {",
                "\t\tp_b = memory_p_m[tmp_0.index];",
                "\t} else {",
                "\t\tp_b = value<8> {};",
                "\t}",
                "\tif (posedge_p_clk) {",
                "\t\tp_c.next = i_a;",
                "\t\tauto tmp_1 = memory_index(p_c.curr, 0, 4);",
                "\t\tif (tmp_1.valid) {",
                "\t\t\tmemory_p_m.update(tmp_1.index, p_b, p_b, 0);",
                "\t\t}",
                "\t}",
            ]
        ),
        "p_x",
        {"p_b"},
    )
    assert split is not None
    assert split.members.splitlines() == [
        "\tvalue<1> i_a;",
        *(f"\tvoid eval_{number}(bool posedge_p_clk);" for number in range(4)),
    ]
    assert split.whole == (
        "bool p_x::eval(performer *performer) {\n\tbool posedge_p_clk = this->posedge_p_clk();\n"
        + "".join(f"\teval_{number}(posedge_p_clk);\n" for number in range(4))
        + "\treturn true;\n}\n"
    )
    bodies = [piece.split("\n", 1)[1].removesuffix("\n}\n") for piece in split.pieces]
    assert bodies == [
        "\ti_a = p_c.curr;",
        "\tauto tmp_0 = memory_index(p_c.curr, 0, 4);\n\tif(tmp_0.valid) {\n\t\tp_b = memory_p_m[tmp_0.index];\n"
        "\t} else {\n\t\tp_b = value<8> {};\n\t}",
        "\tif (posedge_p_clk) {\n\t\tp_c.next = i_a;\n\t}",
        "\tif (posedge_p_clk) {\n\t\tauto tmp_1 = memory_index(p_c.curr, 0, 4);\n\t\tif (tmp_1.valid) {\n"
        "\t\t\tmemory_p_m.update(tmp_1.index, p_b, p_b, 0);\n\t\t}\n\t}",
    ]


def test_what_is_short_or_runs_in_circles_stays_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _split.split_eval(long_eval([]), "p_x", set()) is None
    monkeypatch.setattr(_split, "LONG", 0)
    assert _split.split_eval(long_eval([]).replace("= true", "= false"), "p_x", set()) is None
    assert _split.split_eval(long_eval(["\\tif (i_a) {", "\\t\\tp_b = p_b;"]), "p_x", set()) is None
