"""VCD files of other programs, and what is in them. The front end's parser is tested with the same files."""

import json
from pathlib import Path

import pytest

from jupyter_fpga.waveform import Waveform

SAMPLES = Path(__file__).parent / "samples"


@pytest.mark.parametrize("name", ["amaranth", "by_hand", "capture", "litescope"])
def test_a_file_is_read(name: str) -> None:
    found = Waveform.from_vcd(SAMPLES / f"{name}.vcd")
    assert found.to_json() == json.loads((SAMPLES / f"{name}.json").read_text())
