"""What turns bitstreams back into netlists: found, or said to be missing."""

import os
from pathlib import Path

import pytest

from jupyter_fpga.compute import ToolMissing
from jupyter_fpga.compute.builds.icebox import find_icebox


def test_it_is_found_and_has_a_version_of_its_text(tmp_path: Path):
    for name in ("iceunpack", "icebox_vlog", "icebox.py"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0o755)
    found = find_icebox({"PATH": str(tmp_path)})
    assert found.found
    assert found.environment() == {
        "ICEUNPACK": str(tmp_path / "iceunpack"),
        "ICEBOX_VLOG": str(tmp_path / "icebox_vlog"),
    }
    found.check("simulated_ice40")
    (tmp_path / "icebox.py").write_text("# another")
    assert find_icebox({"PATH": str(tmp_path)}).version != found.version


def test_it_is_missing(tmp_path: Path):
    (tmp_path / "iceunpack").write_text("")
    (tmp_path / "iceunpack").chmod(0o755)
    missing = find_icebox({"PATH": str(tmp_path)})
    with pytest.raises(ToolMissing) as caught:
        missing.check("simulated_ice40")
    assert caught.value.message == (
        "Bitstreams for the target simulated_ice40 can't be simulated. Examined: icebox_vlog: not on PATH. Install "
        "icestorm: apt-get install fpga-icestorm"
    )
    place_and_route = {"found": True, "version": "nextpnr 0.9", "missing": ""}
    assert missing.beside(place_and_route) == {
        "found": False,
        "version": "nextpnr 0.9",
        "missing": "icebox_vlog: not on PATH. Install icestorm: apt-get install fpga-icestorm",
    }


def test_it_is_there_where_tests_run():
    assert find_icebox(os.environ).found
