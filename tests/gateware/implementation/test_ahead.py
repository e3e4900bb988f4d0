"""nextpnr that was begun before its design was there gives what it would have given otherwise."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_fpga.gateware.targets import TARGETS

#: Places twice, the second time with a nextpnr that waits for its design.
PROGRAM = """
import json, sys
from pathlib import Path
from jupyter_fpga.gateware.implementation import _ahead, place

work = Path.cwd()
design = Path("design.json").read_bytes()
place.run(work)
cold = Path("placed").read_bytes(), Path("report.json").read_bytes()
Path("design.json").unlink()
place.prepare(sys.argv[1])
(begun,) = _ahead._begun
Path("design.json").write_bytes(design)
place.run(work)
assert not _ahead._begun
warm = Path("placed").read_bytes(), Path("report.json").read_bytes()
print(json.dumps({"equal": warm == cold, "bytes": len(cold[0])}))
"""


def design(port: str | None) -> str:
    """An output that is 1, as Yosys would write it; or nothing at all."""
    ports = {port: {"direction": "output", "bits": ["1"]}} if port else {}
    names = {port: {"hide_name": 0, "bits": ["1"], "attributes": {}}} if port else {}
    top = {"attributes": {"top": "1"}, "ports": ports, "cells": {}, "netnames": names}
    return json.dumps({"creator": "test", "modules": {"lab_top": top}})


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A folder that a WebAssembly tool can be run in."""
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.mark.parametrize(
    ("target", "port"),
    # Of a Gowin device, a port must have its buffer.
    [("icebreaker", "pad_serial_tx"), ("ulx3s_25f", "pad_serial_tx"), ("tang_nano_9k", None)],
)
def test_the_same_as_without(work: Path, tmp_path: Path, target: str, port: str | None) -> None:
    (work / "design.json").write_text(design(port))
    request = {"target": target, "clock_hz": TARGETS[target].clock_hz, "seed": 1}
    (work / "request.json").write_text(json.dumps(request))
    finished = subprocess.run(
        [sys.executable, "-c", PROGRAM, target],
        cwd=work,
        env={"PATH": "", "YOWASP_CACHE_DIR": str(tmp_path / "cache"), "YOWASP_MOUNT": f"/={work}"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(finished.stdout.splitlines()[-1])
    assert told["equal"]
    assert told["bytes"] > 1000


def test_other_arguments_do_without_it(work: Path, tmp_path: Path) -> None:
    program = PROGRAM.replace("assert not _ahead._begun", "assert len(_ahead._begun) == 1").replace(
        "place.prepare(sys.argv[1])",
        "place.prepare(sys.argv[1]); request = json.loads(Path('request.json').read_text())",
    )
    (work / "design.json").write_text(design("pad_serial_tx"))
    request = {"target": "icebreaker", "clock_hz": 12_000_000, "seed": 7}
    (work / "request.json").write_text(json.dumps(request))
    finished = subprocess.run(
        [sys.executable, "-c", program, "icebreaker"],
        cwd=work,
        env={"PATH": "", "YOWASP_CACHE_DIR": str(tmp_path / "cache"), "YOWASP_MOUNT": f"/={work}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(finished.stdout.splitlines()[-1])["equal"]
