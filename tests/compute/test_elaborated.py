"""What an elaboration leaves is believed only as far as it can't harm anybody."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.builds.elaborated import Unbelievable, netlist_digest, read_elaborated

ABOUT = {"language": "rtlil", "files": ["netlist.il"], "top": "lab_window", "whole_soc": False}
NETLIST = """\
attribute \\src "design.py:4"
module \\lab_window
  attribute \\src "design.py:7"
  wire width 8 \\duty
  cell $add $add$design.py:9$12
    connect \\A \\duty
  end
end
"""
REGISTER: dict[str, Any] = {"name": "duty", "offset": 0, "width": 8, "words": 1, "access": "rw"}
MANIFEST: dict[str, Any] = {
    "target": "simulated",
    "form": "verilog",
    "top": "top",
    "clock_hz": 12_000_000,
    "baud": 1_000_000,
    "fifo_depth": 1024,
    "window": {"base": 0x3000_0000, "size": 64},
    "control": {"scratch": 0, "bus_errors": 4, "cycles": 8, "overflow": 16, "identifier": 64, "identifier_words": 64},
    "registers": [REGISTER],
    "memories": [{"name": "ram", "offset": 32, "words": 8, "width": 32, "access": "rw"}],
}


def write(folder: Path, about: Any = ABOUT, manifest: Any = MANIFEST, netlist: str = NETLIST) -> dict[str, Path]:
    for name, content in (("netlist.json", about), ("manifest.json", manifest), ("netlist.il", netlist)):
        (folder / name).write_text(content if isinstance(content, str) else json.dumps(content))
    return {path.name: path for path in folder.iterdir()}


def test_what_is_right_is_taken(tmp_path: Path) -> None:
    elaborated = read_elaborated(write(tmp_path), "simulated")
    assert elaborated.files == ("netlist.json", "netlist.il")
    assert [register.name for register in elaborated.manifest.registers] == ["duty"]


def digest(folder: Path, netlist: str) -> str:
    return read_elaborated(write(folder, netlist=netlist), "simulated").netlist_digest


def test_places_are_no_part_of_a_netlist(tmp_path: Path) -> None:
    moved = NETLIST.replace("design.py:7", "design.py:8").replace("design.py:9$", "other.py:10.3-10.9$")
    assert digest(tmp_path, moved) == digest(tmp_path, NETLIST)


@pytest.mark.parametrize(
    "netlist",
    [
        NETLIST.replace("width 8", "width 9"),
        NETLIST.replace("$12", "$13"),
        NETLIST.replace("  attribute \\src", "  attribute \\init 1'1\n  attribute \\src"),
        # A reader that takes a carriage return for the end of a line sees a line more.
        NETLIST.replace('"design.py:7"\n', '"design.py:7"\r  wire \\hidden\n'),
        NETLIST.replace('"design.py:7"\n', '"design.py:7\\"\n  connect \\duty 8\'1"\n'),
        NETLIST.replace("attribute \\src", "attribute \\source"),
        NETLIST + "# the end\n",
    ],
)
def test_nothing_else_is_left_out(tmp_path: Path, netlist: str) -> None:
    assert netlist != NETLIST
    assert digest(tmp_path, netlist) != digest(tmp_path, NETLIST)


def test_of_verilog_everything_counts(tmp_path: Path) -> None:
    file = tmp_path / "netlist.v"
    digests = set()
    for text in ("module a; endmodule", "module a; endmodule // x", "(* src *) module a; endmodule"):
        file.write_text(text)
        digests.add(netlist_digest({"language": "verilog"}, {"netlist.v": file}))
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ("[", "netlist.json is not JSON"),
        ("[" * 60_000, "netlist.json is not JSON"),
        ('{"a": NaN}', "netlist.json is not JSON"),
        ('{"a": 1e999}', "netlist.json is not JSON"),
        (" " * 70_000, "netlist.json is larger than 65536 bytes"),
        ([], "netlist.json is not a JSON object"),
        ({}, "netlist.json names no files"),
        (
            {**ABOUT, "files": ["../../etc/shadow"]},
            "netlist.json names '../../etc/shadow', which is not a part of a netlist",
        ),
        ({**ABOUT, "files": ["manifest.json"]}, "netlist.json names 'manifest.json', which is not a part of a netlist"),
        ({**ABOUT, "files": [7]}, "netlist.json names no files"),
        ({**ABOUT, "language": "tcl"}, "netlist.json says neither rtlil nor verilog"),
        ({**ABOUT, "whole_soc": "yes"}, "netlist.json says neither rtlil nor verilog"),
    ],
)
def test_an_index_that_can_not_be(tmp_path: Path, about: Any, why: str) -> None:
    with pytest.raises(Unbelievable) as caught:
        read_elaborated(write(tmp_path, about), "simulated")
    assert str(caught.value) == why


WRONG_PLACE = "manifest.json can't be right: 'duty' is not a part of the window"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"baud": "fast"}, "manifest.json is not a manifest: baud is of another kind"),
        ({"baud": True}, "manifest.json is not a manifest: baud is of another kind"),
        ({"baud": None}, "manifest.json is not a manifest: baud is of another kind"),
        ({"form": "poem"}, "manifest.json is not a manifest: form is of another kind"),
        ({"registers": {}}, "manifest.json is not a manifest: registers is of another kind"),
        ({"registers": [5]}, "manifest.json is not a manifest: registers is of another kind"),
        ({"registers": [{**REGISTER, "enum": {"A": "b"}}]}, "manifest.json is not a manifest: enum is of another kind"),
        ({"registers": [{**REGISTER, "doc": 5}]}, "manifest.json is not a manifest: doc is of another kind"),
        ({"target": "icebreaker"}, "manifest.json can't be right: its target is another"),
        ({"clock_hz": 0}, "manifest.json can't be right: its clock can't be"),
        ({"baud": 0}, "manifest.json can't be right: its baud rate can't be"),
        ({"fifo_depth": 0}, "manifest.json can't be right: its FIFO can't be"),
        ({"window": {"base": 0, "size": 1 << 40}}, "manifest.json can't be right: its window can't be"),
        ({"window": {"base": -4, "size": 64}}, "manifest.json can't be right: an address can't be"),
        ({"analyzer": {"width": 33, "depth": 512}}, "manifest.json can't be right: its analyzer can't be"),
        ({"analyzer": {"width": 32, "depth": 500}}, "manifest.json can't be right: its analyzer can't be"),
        ({"analyzer": {"width": 4096, "depth": 4096}}, "manifest.json can't be right: its analyzer can't be"),
        (
            {"analyzer": {"width": 32, "depth": 512, "probes": [{"name": "a", "lsb": 29, "width": 2}]}},
            "manifest.json can't be right: its analyzer can't be",
        ),
        (
            {"analyzer": {"width": 32, "depth": 512, "probes": [{"name": "a,b", "lsb": 0, "width": 2}]}},
            "manifest.json can't be right: its analyzer can't be",
        ),
        ({"registers": [REGISTER] * 17}, "manifest.json can't be right: it has more registers than words"),
        ({"registers": [{**REGISTER, "width": 0}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "width": 33}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "words": 2}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "offset": 2}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "offset": 64}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "offset": -4}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "reset": 256}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "array": {"length": 1 << 60, "stride": 8}}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "array": {"length": 1 << 60, "stride": 0}}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "fields": [{"name": "f", "lsb": 7, "width": 2}]}]}, WRONG_PLACE),
        ({"registers": [{**REGISTER, "name": ""}]}, "manifest.json can't be right: '' is not a part of the window"),
        (
            {"memories": [{"name": "m", "offset": 0, "words": 17, "width": 32, "access": "rw"}]},
            "manifest.json can't be right: 'm' is not a part of the window",
        ),
    ],
)
def test_a_manifest_that_can_not_be(tmp_path: Path, change: dict[str, Any], why: str) -> None:
    with pytest.raises(Unbelievable) as caught:
        read_elaborated(write(tmp_path, manifest={**copy.deepcopy(MANIFEST), **change}), "simulated")
    assert str(caught.value) == why


def test_a_manifest_with_half_a_character(tmp_path: Path) -> None:
    with pytest.raises(Unbelievable) as caught:
        read_elaborated(write(tmp_path, manifest={**MANIFEST, "top": "\ud800"}), "simulated")
    assert str(caught.value).startswith("manifest.json is not a manifest: 'utf-8' codec can't encode character")


def test_a_key_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(Unbelievable) as caught:
        read_elaborated(write(tmp_path, manifest={"target": "simulated"}), "simulated")
    assert str(caught.value).startswith("manifest.json is not a manifest: ")
    assert "missing" in str(caught.value)
