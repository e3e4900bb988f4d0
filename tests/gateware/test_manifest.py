"""The manifest survives its own file, byte for byte."""

import json

import pytest

from jupyter_fpga.gateware.manifest import Array, Control, DesignWarning, Field, Manifest, Memory, Pin, Register, Window

FULL = Manifest(
    target="simulated",
    form="amaranth_component",
    top="Top",
    clock_hz=12_000_000,
    baud=1_000_000,
    fifo_depth=1024,
    window=Window(base=0x3000_0000, size=64),
    control=Control(
        scratch=0xF000_0004,
        bus_errors=0xF000_0008,
        cycles=0xF000_1000,
        overflow=0xF000_1008,
        identifier=0xF000_1800,
        identifier_words=64,
    ),
    digest="ab" * 32,
    identifier="jupyter_fpga simulated abababababababab",
    registers=[
        Register("duty", offset=0, width=8, words=1, access="rw", reset=3, doc="Duty cycle.", enum={"OFF": 0}),
        Register("wide", offset=4, width=40, words=2, access="ro", signed=True, array=Array(length=3, stride=8)),
        Register(
            "status", offset=28, width=3, words=1, access="ro", fields=[Field("done", lsb=0, width=1, enum={"NO": 0})]
        ),
    ],
    memories=[Memory("ram", offset=32, words=8, width=32, access="rw")],
    pins=[Pin("led", port="led", direction="o", width=1)],
    warnings=[DesignWarning("Something.", file="design.py", line=3)],
    parameters={"WIDTH": 8},
)


def test_manifest_comes_back_equal():
    assert Manifest.loads(FULL.dumps()) == FULL


def test_manifest_text_is_stable():
    assert Manifest.loads(FULL.dumps()).dumps() == FULL.dumps()


def test_unknown_keys_of_a_newer_writer_are_left_out():
    data = json.loads(FULL.dumps())
    data["registers"][0]["colour"] = "red"
    data["moon"] = 1
    assert Manifest.from_json(data) == FULL


def test_size_of_registers():
    assert [register.size for register in FULL.registers] == [4, 24, 4]


def test_another_version_is_refused():
    data = json.loads(FULL.dumps())
    data["version"] = 2
    with pytest.raises(ValueError, match="version") as caught:
        Manifest.loads(json.dumps(data))
    assert str(caught.value) == "Expected a manifest of version 1, found 2; build the design again."
