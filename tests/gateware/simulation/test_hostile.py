"""Nothing that a person writes in a netlist becomes C++ of their own."""

from pathlib import Path

from jupyter_fpga.gateware.rtlil import clean_rtlil

from .conftest import RESOURCES, Build

#: C++ that would leave a file; without quotes and white space, so that it can stand anywhere.
PAYLOAD = "static/**/int/**/hostile_payload=1;"


def test_attributes_with_text_are_dropped() -> None:
    lines = [
        'attribute \\src "a.v:1\\nint x;"\n',
        "attribute \\top 1\n",
        "attribute \\init 8'00000000\n",
        '  attribute \\init "text"\n',
        "attribute \\keep 1\n",
        '  attribute \\keep "\\nint x;"\n',
        "      attribute \\full_case 1\n",
        "attribute \\cxxrtl_blackbox 1\n",
        'attribute \\cxxrtl_width "8"\n',
        "attribute broken\n",
        "module \\attribute\n",
        "  wire width 8 \\attribute\n",
        "end\n",
    ]
    assert list(clean_rtlil(lines)) == [lines[i] for i in (1, 2, 4, 6, 10, 11, 12)]


def test_a_hostile_design_is_only_a_design(build: Build) -> None:
    text = (RESOURCES / "hostile.v").read_text().replace("PAYLOAD_NAME", "name").replace("PAYLOAD", PAYLOAD)
    folder = build([("netlist.v", text)])
    assert (folder / "simulator").exists()
    source = (folder / "design.cc").read_text()
    _only_in_strings(source, "hostile_payload")
    assert "cxxrtl" not in source.lower().replace("cxxrtl_assert", "").replace("cxxrtl_extremely_cold", "")
    assert not any(line.lstrip().startswith("//") for line in source.splitlines())
    assert "printf" not in source
    assert "lazy_fmt" not in source


def _only_in_strings(source: str, word: str) -> None:
    """See that ``word`` is in C++ string literals only."""
    assert word in source, "the name of the register is in the table of signals"
    inside = False
    outside = []
    position = 0
    while position < len(source):
        character = source[position]
        if inside and character == "\\":
            position += 1
        elif character == '"':
            inside = not inside
        elif not inside:
            outside.append(character)
        else:
            assert character != "\n"
        position += 1
    assert not inside
    assert word not in "".join(outside)


def test_other_files_stay_where_they_are(build: Build, tmp_path: Path) -> None:
    """Names of files from a netlist can't bring commands into the script."""
    import pytest

    from jupyter_fpga.gateware.errors import DesignError

    with pytest.raises(DesignError) as refused:
        build([("a b; shell touch x.v", "module lab_window; endmodule")])
    assert refused.value.message == "The netlist names the file 'a b; shell touch x.v', which isn't there."
    assert refused.value.code == "synthesis_failed"
