"""Which of the things in a person's text is the design's top, and what is said when none or several are."""

import pytest

PORTED = """\
class {name}(wiring.Component):
    x: Out(8, init={value})
    def elaborate(self, platform):
        return Module()

"""
FORMS = "a wiring.Component, an Elaboratable with the wb_* signals, a LiteXModule (or Module with AutoCSR), or a LabSoC"


def component(name, value=1):
    return PORTED.format(name=name, value=value)


SLAVE = """\
class {name}(Elaboratable):
    def __init__(self):
        for name, width in dict(cyc=1, stb=1, we=1, adr=4, dat_w=32, sel=4, dat_r=32, ack=1).items():
            setattr(self, "wb_" + name, Signal(width, name="wb_" + name))
    def elaborate(self, platform):
        m = Module()
        m.d.comb += [self.wb_ack.eq(self.wb_cyc), self.wb_dat_r.eq(1)]
        return m

"""

HELPER = """\
class Helper(Elaboratable):
    def elaborate(self, platform):
        return Module()

"""


def reset_of(result):
    """Tells which of several tops was taken: each has another reset value."""
    return result.register("x").reset


def test_the_only_component(elaborate):
    assert elaborate(component("Blinky")).manifest.top == "Blinky"


def test_named_by_the_request(elaborate):
    result = elaborate(component("A", 1) + component("B", 2) + component("Top", 3), top="B")
    assert (result.manifest.top, reset_of(result)) == ("B", 2)


def test_called_Top(elaborate):
    result = elaborate(component("A", 1) + component("Top", 2))
    assert (result.manifest.top, reset_of(result)) == ("Top", 2)


def test_called_top(elaborate):
    result = elaborate(component("Top", 1) + "class B(Top):\n    y: In(1)\n\ntop = B()\n")
    assert result.manifest.top == "top"
    assert [register.name for register in result.manifest.registers] == ["x", "y"]


def test_object_stands_for_its_class(elaborate):
    text = component("Sized").replace("def elaborate", "size = 3\n    def elaborate") + "mine = Sized()\n"
    assert elaborate(text).manifest.top == "mine"


def test_private_names_are_no_candidates(elaborate):
    assert elaborate(component("_Inner") + component("Outer")).manifest.top == "Outer"


def test_imported_classes_are_no_candidates(elaborate):
    files = {
        "parts.py": "from amaranth import *\nfrom amaranth.lib import wiring\nfrom amaranth.lib.wiring import Out\n"
        + component("Part"),
        "design.py": "from parts import Part\n" + component("Whole"),
    }
    assert elaborate(files).manifest.top == "Whole"


def test_entry_in_a_folder_and_files_that_import_it(elaborate):
    files = {
        "src/blinky.py": "import parts\nWIDTH = 5\n\ndef width():\n    return WIDTH\n\n"
        "class Top(wiring.Component):\n    def __init__(self):\n"
        "        super().__init__({'x': In(parts.twice())})\n"
        "    def elaborate(self, platform):\n        return Module()\n",
        "src/parts.py": "import blinky\n\ndef twice():\n    return 2 * blinky.width()\n",
        "design.py": "1 / 0\n",
    }
    assert elaborate(files, entry="src/blinky.py").register("x").width == 10


def test_elaboratables_without_a_bus_are_no_candidates(elaborate):
    manifest = elaborate(HELPER + SLAVE.format(name="Slave")).manifest
    assert (manifest.top, manifest.form) == ("Slave", "wishbone")


def test_several(elaborate):
    error = elaborate(component("A") + component("B") + SLAVE.format(name="C")).error
    assert error == {
        "code": "several_tops",
        "message": "The design has several possible tops: A (line 1), B (line 6), C (line 11); "
        "call one of them Top, or say which with --top A.",
        "file": "design.py",
        "line": 11,
        "column": None,
        "text": "class C(Elaboratable):",
        "frames": [],
    }


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("x = 1\n", ""),
        ("class Point:\n    pass\n", " (Point is a class of another kind)"),
        (
            "from migen import *\nclass Old(Module):\n    pass\n",
            " (Old is a Migen Module without CSRs)",
        ),
    ],
)
def test_none(elaborate, text, seen):
    error = elaborate(text).error
    assert error["code"] == "no_top"
    assert error["message"] == f"The design has no top; it defines nothing that fits{seen}. A top must be {FORMS}."


def test_named_by_the_request_but_not_there(elaborate):
    error = elaborate(component("A") + component("B"), top="C").error
    assert error["code"] == "top_not_found"
    assert error["message"] == (
        "The design has nothing called 'C' that could be its top; it has A (line 1), B (line 6)."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("def Top():\n    pass\n", "Top is an object of type function"),
        ("class Top:\n    pass\n", "Top is a class of another kind"),
    ],
)
def test_named_by_the_request_but_unfit(elaborate, text, message):
    error = elaborate(text, top="Top").error
    assert error["code"] == "top_unfit"
    assert error["message"] == f"{message}; a top must be {FORMS}."
    assert error["line"] in (1, None)


def test_elaboratable_without_ports(elaborate):
    error = elaborate(HELPER).error
    assert (error["code"], error["line"]) == ("top_unfit", 1)
    assert error["message"] == (
        "Helper is an Elaboratable without ports; make it a wiring.Component with ports, or give it the signals "
        "wb_cyc, wb_stb, wb_we, wb_adr, wb_dat_w, wb_sel, wb_dat_r, wb_ack."
    )
