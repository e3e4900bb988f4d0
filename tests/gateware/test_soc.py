"""Form 4: a subclass of LabSoC, with everything that LiteX can do."""

import json
import subprocess
import sys

import pytest

from jupyter_fpga.gateware.manifest import Manifest, Memory, Pin, Register, Window

SOC = """\
from jupyter_fpga.gateware import LabSoC
from litex.gen import LiteXModule
from litex.soc.interconnect.csr import CSRStatus, CSRStorage
from migen import *


class Counter(LiteXModule):
    def __init__(self):
        self.enable = CSRStorage(1, description="Go.")
        self.value = CSRStatus(40, reset=9)
        self.table = Memory(8, 4, init=[3])
        self.specials += self.table
        self.sync += If(self.enable.storage, self.value.status.eq(self.value.status + 1))


class Top(LabSoC):
    def __init__(self, size=0x100, **kwargs):
        super().__init__(integrated_sram_size=size, **kwargs)
        self.counter = Counter()
        self.comb += self.platform.request("led").eq(self.counter.enable.storage)
"""


def test_registers_are_called_by_module_and_register(elaborate):
    result = elaborate(SOC)
    manifest = result.manifest
    assert (manifest.form, manifest.top) == ("litex_soc", "Top")
    assert manifest.window == Window(0xF000_0000, 0x180C)
    assert manifest.registers == [
        Register("counter_enable", 0x1800, 1, 1, "rw", doc="Go."),
        Register("counter_value", 0x1804, 40, 2, "ro", reset=9),
    ]
    assert manifest.memories == [Memory("counter_table", 0x1000, 4, 8, "rw")]
    assert manifest.pins == [Pin("led", "led", "o", 1)]
    assert (result.netlist["top"], result.netlist["whole_soc"]) == ("lab_soc", True)


def test_clock_and_parameters_reach_the_constructor(elaborate):
    result = elaborate(SOC, params={"size": 0x200}, sys_clk_freq=24_000_000)
    assert result.manifest.clock_hz == 24_000_000
    described = json.loads((result.folder / "csr.json").read_text())
    assert described["memories"]["sram"] == {"base": 0x0100_0000, "size": 0x200, "type": "cached"}
    assert described["constants"]["config_clock_frequency"] == 24_000_000


def test_soc_answers_on_its_bridge(elaborate, run):
    machine = run(elaborate(SOC))

    def read(address, count):
        machine.ask(f"x 02 {count:02x} {(address // 4).to_bytes(4, 'big').hex(' ')}")
        return int(machine.ask(f"r {4 * count}"), 16)

    def write(address, value):
        words = ((address // 4) << 32 | value).to_bytes(8, "big").hex(" ")
        machine.ask(f"x 01 01 {words}")

    assert read(0xF000_0004, 1) == 0x1234_5678
    assert read(0xF000_1804, 2) == 9
    assert read(0xF000_1000, 1) == 3
    assert machine.ask("g") == "0"
    write(0xF000_1800, 1)
    assert read(0xF000_1800, 1) == 1
    assert machine.ask("g") == "1"
    assert 9 < read(0xF000_1804, 2) < 10_000
    write(0x0100_0010, 0xCAFE_F00D)
    assert read(0x0100_0010, 1) == 0xCAFE_F00D


def test_csr_files_are_what_litex_writes(elaborate):
    result = elaborate(SOC)
    program = (
        "import sys; sys.path.insert(0, 'source')\n"
        "from design import Top\n"
        "from litex.soc.integration.export import get_csr_csv, get_csr_json\n"
        "soc = Top(); soc.finalize()\n"
        "parts = soc.csr.regions, soc.constants, soc.mem_regions\n"
        "open('litex.json', 'w').write(get_csr_json(*parts)); open('litex.csv', 'w').write(get_csr_csv(*parts))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=result.folder, check=True, capture_output=True)
    theirs, ours = (json.loads((result.folder / name).read_text()) for name in ("litex.json", "csr.json"))
    for part in ("csr_bases", "csr_registers", "memories"):
        assert ours[part] == theirs[part]
    # LiteX keeps these; ours has besides what tools need to talk to any SoC of the lab.
    assert theirs["constants"].items() <= ours["constants"].items()

    def lines(name):
        return {line for line in (result.folder / name).read_text().splitlines() if not line.startswith("#")}

    assert lines("litex.csv") <= lines("csr.csv")


@pytest.mark.parametrize(
    ("change", "code", "line", "message"),
    [
        (
            ("integrated_sram_size=size, **kwargs)", "integrated_sram_size=size)"),
            "bad_clock",
            16,
            "Top runs at 12 MHz, and 24 MHz were asked for; let its __init__ take sys_clk_freq and hand it on to "
            "LabSoC.",
        ),
        (
            ("class Top(LabSoC):\n", 'class Top(LabSoC):\n    csr_map = {"counter": 0, "ctrl": 3}\n'),
            "bad_soc",
            16,
            "Top moves the lab's own registers, by which the lab knows a board; leave csr_map's ctrl and "
            "identifier_mem and mem_map's csr as LabSoC has them.",
        ),
        (
            ('request("led")', 'request("moon")'),
            "unknown_resource",
            20,
            "The target has no resource 'moon'; the lab's documentation lists what it has.",
        ),
        (
            (
                "        self.comb += self",
                "        self.platform.request('leds')\n        self.comb += self",
            ),
            "pin_clash",
            None,
            "The SoC requests both leds and a part of it; request leds only.",
        ),
        (
            ("self.counter = Counter()", "self.counter = Counter()\n        self.sync.pix += Signal().eq(1)"),
            "undeclared_domain",
            20,
            "The clock domain pix is used but declared nowhere; use sys, the one that the target simulated has.",
        ),
        (
            (
                "        self.counter = Counter()",
                "        self.counter = Counter()\n        self.bus.add_region('ram', SoCRegion(origin=16, size=64))",
            ),
            "elaboration_failed",
            20,
            "NameError: name 'SoCRegion' is not defined.",
        ),
    ],
)
def test_error(elaborate, change, code, line, message):
    assert change[0] in SOC
    error = elaborate(SOC.replace(*change), sys_clk_freq=24_000_000).error
    assert error["message"] == message
    assert (error["code"], error["line"]) == (code, line)


def test_error_that_litex_only_logs(elaborate):
    text = SOC.replace(
        "        self.counter = Counter()", "        self.counter = Counter()\n        self.add_ram('sram', 0x1000, 64)"
    )
    error = elaborate(text).error
    assert (error["code"], error["line"]) == ("elaboration_failed", 20)
    assert error["message"] == "LiteX refuses the SoC: sram already declared as Region."


def test_labsoc_is_imported_when_asked_for():
    program = (
        "import sys, jupyter_fpga.gateware as gateware\n"
        "assert 'litex' not in sys.modules\n"
        "assert gateware.LabSoC.__name__ == 'LabSoC'\n"
        "assert 'litex' in sys.modules\n"
        "try:\n    gateware.Nothing\n"
        "except AttributeError as error:\n    print(error)\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout == "module 'jupyter_fpga.gateware' has no attribute 'Nothing'\n"


def test_manifest_survives_its_file(elaborate):
    manifest = elaborate(SOC).manifest
    assert Manifest.loads(manifest.dumps()) == manifest
