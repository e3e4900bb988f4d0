"""Designs that are wrong, and designs that are attacks: each gets its own answer, and the next person's job works."""

import re
from pathlib import Path
from typing import Any

import pytest

from .conftest import GOOD, SECRET, STAGE_SECONDS, Lab, Person

FITS = (
    "A top must be a wiring.Component, an Elaboratable with the wb_* signals, a LiteXModule (or Module with AutoCSR), "
    "or a LabSoC."
)


def component(ports: str, *body: str) -> str:
    lines = ["class Top(wiring.Component):", *(f"    {port}" for port in ports.split("; ") if port)]
    lines += ["    def elaborate(self, platform):", "        m = Module()", *(f"        {line}" for line in body)]
    return "\n".join([*lines, "        return m", ""])


MEMORY = (
    "Elaboration used more than its limit of 1024 MiB of memory; make the design, or the tables that it computes, "
    "smaller."
)

# Text, code, sentence, line of the text.
MISTAKES: dict[str, tuple[str, str, str, int | None]] = {
    "a syntax error": ("x = 1\ndef f(:\n", "syntax_error", "Python can't read line 2: invalid syntax.", 2),
    "an exception": (
        component("led: Out(1)", "1 / 0"),
        "elaboration_failed",
        "ZeroDivisionError: division by zero.",
        5,
    ),
    "an exception that can't even be told": (
        "class Mute(Exception):\n    def __str__(self):\n        raise self\n\nraise Mute\n",
        "elaboration_failed",
        "Mute.",
        5,
    ),
    "an exception without end": (
        "raise ValueError('x' * 10_000_000)",
        "elaboration_failed",
        f"ValueError: {'x' * 999}….",
        1,
    ),
    "an interrupt of its own": ("raise KeyboardInterrupt", "elaboration_failed", "KeyboardInterrupt.", 1),
    "an exit": ("import sys\nsys.exit(0)", "elaboration_failed", "The design called exit(0); remove that.", 2),
    "an exit by force": (
        "import os\nos._exit(0)",
        "tool_failed",
        "Elaboration failed: its program left no netlist.json and no manifest.json; look for something in the design "
        "that ends Python by force, such as os._exit.",
        None,
    ),
    "a recursion without end": (
        "def f(): f()\nf()",
        "elaboration_failed",
        "RecursionError: maximum recursion depth exceeded.",
        1,
    ),
    "a package that isn't there": (
        "import no_such_package",
        "import_error",
        "There is no module 'no_such_package' here; a design may import the Python standard library, amaranth, migen, "
        "litex, numpy and the files of its own bundle.",
        1,
    ),
    "no form": ("x = 1\n", "no_top", f"The design has no top; it defines nothing that fits. {FITS}", None),
    "another form": (
        "class Top:\n    pass\n",
        "top_unfit",
        f"Top is a class of another kind; {FITS[0].lower()}{FITS[1:]}",
        1,
    ),
    "several tops": (
        component("a: Out(1, init=1)").replace("Top", "One") + component("a: Out(1, init=1)").replace("Top", "Two"),
        "several_tops",
        "The design has several possible tops: One (line 1), Two (line 6); call one of them Top, or say which with "
        "--top One.",
        6,
    ),
    "names that clash": (
        "class Top(wiring.Component):\n"
        "    def __init__(self):\n"
        "        inner = wiring.Signature({'b': Out(1, init=1)})\n"
        "        super().__init__({'a': Out(inner), 'a_b': Out(1, init=1)})\n"
        "    def elaborate(self, platform):\n        return Module()\n",
        "name_clash",
        "Two ports of the design are both called a_b outside (an interface's members are joined to its name by _); "
        "rename one of them.",
        4,
    ),
    "a resource of another width": (
        component("led: Out(2)"),
        "resource_mismatch",
        "The port led is 2 bits out, and the resource led of the target simulated is 1 bit out; change the port, or "
        "give it another name to have a register instead.",
        2,
    ),
    "an output that nothing drives": (
        component("a: Out(4)"),
        "undriven_output",
        "Nothing drives the output a; assign to it in elaborate, or give it an init value if it is meant to be a "
        "constant.",
        2,
    ),
    "two drivers": (
        component("a: Out(1)", "m.d.comb += self.a.eq(1)", "m.d.sync += self.a.eq(0)"),
        "multiple_drivers",
        "The signal a is driven from more than one place; drive it from one module and one domain only.",
        6,
    ),
    "a loop of logic": (
        component("a: Out(1)", "x = Signal()", "m.d.comb += [x.eq(~self.a), self.a.eq(x)]"),
        "combinational_loop",
        "The design has a combinational loop, a → x → a; put a register (m.d.sync) somewhere into it.",
        6,
    ),
    "a clock from nowhere": (
        component("a: Out(1)", "m.d.pixel += self.a.eq(1)"),
        "undeclared_domain",
        "The clock domain pixel is used but declared nowhere; use sync, the one that the target simulated has.",
        5,
    ),
    "nothing returned": (
        component("a: Out(1, init=1)").replace("        return m\n", ""),
        "elaboration_failed",
        "elaborate returned None, and has to return its Module; end it with `return m`.",
        None,
    ),
    "a platform": (
        component("led: Out(1)", "platform.request('led', 0)"),
        "no_platform",
        "The design asks its platform for 'request', but in the lab an Amaranth design gets no platform (it is None); "
        "name a port after the resource that it needs, such as led, instead.",
        5,
    ),
    "a memory that no board has": (
        "from amaranth.lib.memory import Memory\n"
        + component(
            "at: In(28); out: Out(32)",
            "m.submodules.memory = memory = Memory(shape=32, depth=1 << 28, init=[])",
            "port = memory.read_port()",
            "m.d.comb += [port.addr.eq(self.at), self.out.eq(port.data)]",
        ),
        "memory_limit",
        MEMORY,
        7,
    ),
}

ATTACKS: dict[str, tuple[str, str, str, int | None]] = {
    "a fork bomb": (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
        "process_limit",
        "Elaboration started more than its limit of 64 processes and threads; a design needs none of its own.",
        None,
    ),
    "threads without end": (
        "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(1000,)).start()\n",
        "process_limit",
        "Elaboration started more than its limit of 64 processes and threads; a design needs none of its own.",
        None,
    ),
    "all of the memory at once": (
        "table = bytearray(1 << 40)",
        "memory_limit",
        MEMORY,
        1,
    ),
    "a flood of output without a newline": (
        "import os\nfor _ in range(1024):\n    os.write(1, b'x' * (1 << 20))\n",
        "output_limit",
        "Elaboration printed more than its limit of 4 MiB or 20,000 lines; print less.",
        None,
    ),
    "a flood of empty lines": (
        "while True:\n    print()\n",
        "output_limit",
        "Elaboration printed more than its limit of 4 MiB or 20,000 lines; print less.",
        None,
    ),
    "a full disk": (
        "with open('/work/x', 'wb') as file:\n    while True:\n        file.write(bytes(1_000_000))\n",
        "disk_limit",
        "Elaboration wrote more than its limit of 64 MiB of files; a design needs none of its own.",
        None,
    ),
    "files without end": (
        "for number in range(100_000):\n    open(f'/work/{number}', 'w').close()\n",
        "file_limit",
        "Elaboration made more than its limit of 4096 files; a design needs none of its own.",
        None,
    ),
    "passwords": (
        "print(open('/etc/shadow').read())",
        "elaboration_failed",
        "FileNotFoundError: [Errno 2] No such file or directory: '/etc/shadow'.",
        1,
    ),
    "somewhere to write": (
        "open('/tmp/x', 'w')",
        "elaboration_failed",
        "OSError: [Errno 30] Read-only file system: '/tmp/x'.",
        1,
    ),
    "the lab itself": (
        "import socket\nsocket.create_connection(('127.0.0.1', 80))",
        "elaboration_failed",
        "PermissionError: [Errno 13] Permission denied.",
        2,
    ),
    "datagrams": (
        "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "elaboration_failed",
        "PermissionError: [Errno 13] Permission denied.",
        2,
    ),
    "a program that stays": (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(1000)\nraise ValueError('and goes on')\n",
        "elaboration_failed",
        "ValueError: and goes on.",
        5,
    ),
    "an end for everybody": (
        "import os, signal\nfor pid in (1, os.getppid(), -1):\n"
        "    try:\n        os.kill(pid, signal.SIGKILL)\n    except OSError:\n        pass\n"
        "raise ValueError('still here')\n",
        "elaboration_failed",
        "ValueError: still here.",
        7,
    ),
    "a link as a result": (
        "import os\nos.symlink('/etc/shadow', '/work/netlist.json')\nos._exit(0)",
        "bad_output",
        "Elaboration failed: the program left netlist.json as something else than a plain file; it was not read. Look "
        "for something in the design that makes files of its own; it needs none.",
        None,
    ),
    "results of its own": (
        "import os\nfor name in ('netlist.json', 'manifest.json'):\n    "
        "open(f'/work/{name}', 'w').write('[' * 10_000)\nos._exit(0)",
        "bad_output",
        "What the elaboration left can't be used: netlist.json is not JSON. Nothing but the lab itself may write these "
        "files; look for something in the design that does, or that ends Python early.",
        None,
    ),
    "an error of its own": (
        "import os\nopen('/work/error.json', 'w').write('[' * 100_000)\nos._exit(3)",
        "tool_failed",
        "Elaboration failed, and what it said of the reason can't be read.",
        None,
    ),
}

VERILOG: dict[str, tuple[str, str, str, int | None]] = {
    "a syntax error": (
        "module top(input clk;\nendmodule\n",
        "syntax_error",
        "Yosys found a syntax error, unexpected ';', expecting ')' or ',' or '=' in line 1.",
        1,
    ),
    "no module": ("// nothing\n", "no_top", "The design has no top; design.v defines no module.", None),
    "no clock": (
        "module top(input a, output q); assign q = a; endmodule\n",
        "top_unfit",
        "The module top has no input clk; the lab gives a design its clock by that name.",
        1,
    ),
    "several tops": (
        "module a(input clk, output q); assign q = 1; endmodule\n"
        "module b(input clk, output q); assign q = 1; endmodule\n",
        "several_tops",
        "The design has several possible tops: a (line 1), b (line 2); call one of them top, or say which with "
        "--top a.",
        2,
    ),
    "a module that isn't there": (
        "module top(input clk, output q); missing it (.a(clk), .q(q)); endmodule\n",
        "unknown_module",
        "The design uses a module missing that none of its files defines; add the Verilog file that does.",
        None,
    ),
    "a loop of logic": (
        "module top(input clk, output q);\n  wire x;\n  assign x = ~x;\n  assign q = x;\nendmodule\n",
        "combinational_loop",
        "The design has a combinational loop; put a register somewhere into it.",
        3,
    ),
    "passwords, included": (
        '`include "/etc/shadow"\nmodule top(input clk, output q); assign q = 1; endmodule\n',
        "elaboration_failed",
        "Yosys refuses the design: Can't open include file `/etc/shadow'.",
        None,
    ),
    "passwords, as a memory": (
        "module top(input clk, input [7:0] a, output [7:0] q);\n  reg [7:0] m [0:255];\n"
        '  initial $readmemh("/etc/shadow", m);\n  assign q = m[a];\nendmodule\n',
        "elaboration_failed",
        "Yosys refuses the design: Can not open file `/etc/shadow` for $readmemh.",
        3,
    ),
    "a memory that no board has": (
        "module top(input clk, input [27:0] a, input [31:0] d, output reg [31:0] q);\n  reg [31:0] m [0:268435455];\n"
        "  always @(posedge clk) begin q <= m[a]; m[a] <= d; end\nendmodule\n",
        "does_not_fit",
        "The design's memories take 1,024 MiB, and a simulated board has 256 MiB for them; make them smaller.",
        None,
    ),
}


def check(job: dict[str, Any], code: str, message: str, line: int | None) -> None:
    assert job["status"] == "failed"
    error = job["error"]
    assert (error["code"], error["reason"], error.get("line")) == (code, message, line)
    assert error["stage"] in ("elaborate", "synthesize")


@pytest.mark.parametrize("case", MISTAKES)
def test_mistakes(ada: Person, case: str) -> None:
    text, *expected = MISTAKES[case]
    check(ada.build(text), *expected)  # type: ignore[arg-type]


@pytest.mark.usefixtures("unharmed")
@pytest.mark.parametrize("case", ATTACKS)
def test_attacks(ada: Person, case: str) -> None:
    text, *expected = ATTACKS[case]
    check(ada.build(text), *expected)  # type: ignore[arg-type]


@pytest.mark.usefixtures("unharmed")
def test_a_memory_bomb(ada: Person) -> None:
    """Whether the lab sees it first, or the kernel refuses the next piece and Python tells where."""
    job = ada.build("table = []\nwhile True:\n    table.append(bytes(1_000_000))\n")
    assert (job["error"]["code"], job["error"]["reason"]) == ("memory_limit", MEMORY)
    assert job["error"].get("line") in (None, 3)


@pytest.mark.parametrize("case", VERILOG)
def test_verilog(ada: Person, case: str) -> None:
    text, *expected = VERILOG[case]
    check(ada.build(text, filename="design.v"), *expected)  # type: ignore[arg-type]


ENDLESS = {
    "design.py": "while True:\n    pass\n",
    "asleep.py": "import time\ntime.sleep(1000)\n",
    "design.v": "module top(input clk, output q);\n  genvar i;\n"
    "  generate for (i = 0; i < 2000000000; i = i + 1) begin : g wire x; end endgenerate\n  assign q = 1;\nendmodule\n",
}


def test_a_crash(ada: Person) -> None:
    error = ada.build("import ctypes\nctypes.string_at(0)\n")["error"]
    assert error["code"] == "tool_failed"
    # Where there is a shell in between, it says so as well.
    assert error["reason"].removesuffix(" Its last words: Segmentation fault") == (
        "Elaboration failed: its program was ended by SIGSEGV; look for something in the design that ends Python by "
        "force, such as os._exit."
    )


@pytest.mark.usefixtures("unharmed")
def test_loops_without_end(ada: Person) -> None:
    jobs = [ada.accepted("/build", {"source": text, "filename": name}) for name, text in ENDLESS.items()]
    for job_id in jobs:
        error = ada.done(job_id)["error"]
        assert (error["code"], error["stage"]) == ("time_limit", "elaborate")
        assert error["reason"] == (
            f"Elaboration ran longer than its limit of {STAGE_SECONDS} s; look for a loop that never ends, or make the "
            "design smaller."
        )


@pytest.mark.usefixtures("unharmed")
def test_a_loop_is_cancelled(ada: Person) -> None:
    job_id = ada.accepted("/build", {"source": "print('begun', flush=True)\nwhile True:\n    pass\n"})
    assert ada.ask("DELETE", f"/jobs/{job_id}")[0] == 204
    job = ada.get(f"/jobs/{job_id}")
    assert (job["status"], job["error"]["code"], job["error"]["reason"]) == (
        "cancelled",
        "cancelled",
        "Cancelled by ada.",
    )


def test_a_flood_is_kept_in_bounds(ada: Person) -> None:
    job = ada.build(ATTACKS["a flood of output without a newline"][0], use_cache=False)
    status, log, _ = ada.ask("GET", f"/jobs/{job['job_id']}/logs")
    assert status == 200
    assert len(log) < 5 << 20


def test_what_it_prints_is_text(ada: Person) -> None:
    job = ada.build("import os\nos.write(1, b'a\\0b\\xff\\x1b[2J\\n')\nraise ValueError")
    log = ada.ask("GET", f"/jobs/{job['job_id']}/logs")[1].decode()
    assert log.splitlines() == ["a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}\x1b[2J", "ValueError."]


SEARCH = """\
import glob, os, re, sys
# Everybody has these: Python, its packages, the lab's own.
known = {{sys.prefix, sys.base_prefix, *(path for path in sys.path if path.endswith("-packages"))}}
paths = [path for name in ("environ", "cmdline", "mountinfo") for path in glob.glob(f"/proc/*/{{name}}")]
for place in {places!r}:
    for folder, folders, files in os.walk(place):
        folders[:] = [name for name in folders if os.path.join(folder, name) not in known]
        paths += [os.path.join(folder, name) for name in files]
found, looked = [], 0
for path in paths:
    try:
        with open(path, "rb") as file:
            looked += 1
            if re.search(rb{secret!r}, file.read(1 << 20)):
                found.append(path)
    except OSError:
        pass
raise ValueError(f"found {{found}} in many files" if looked > 20 else f"saw {{looked}} files")
"""


@pytest.mark.usefixtures("unharmed")
def test_nobody_finds_what_is_the_labs_or_anothers(lab: Lab, ada: Person) -> None:
    """Keys, sources, builds, the environment of whoever runs the lab, and the folder of a job that runs beside."""
    places = [
        str(lab.folder),
        str(Path.home()),
        "/work",
        "/tmp",
        "/etc",
        "/home",
        "/root",
        "/run",
        "/var",
    ]
    # The design itself is on the search's way, so it must not hold what it looks for.
    secret = "|".join(re.sub(r"(.)$", r"[\1]", word) for word in (SECRET, "ada-0123456789abcdef", "beside-this-one"))
    beside = ada.accepted("/build", {"source": "# beside-this-one\nimport time\ntime.sleep(1000)\n"})
    try:
        job = ada.build(SEARCH.format(places=places, secret=secret))
    finally:
        assert ada.ask("DELETE", f"/jobs/{beside}")[0] == 204
    assert job["error"]["reason"] == "ValueError: found [] in many files."


def test_nobody_gets_anothers_simulator(ada: Person, grace: Person) -> None:
    """A design that leaves results under another's name spoils nothing for whoever builds that other one."""
    right = grace.build(GOOD)
    manifest = grace.get(f"/jobs/{right['job_id']}/manifest")
    forged = {
        "netlist.il": "module \\lab_window\nend\n",
        "netlist.json": '{"language": "rtlil", "files": ["netlist.il"], "top": "lab_window", "whole_soc": false, '
        f'"digest": "{manifest["digest"]}"}}',
    }
    text = f"import os, json\nfor name, text in {forged!r}.items():\n    open(f'/work/{{name}}', 'w').write(text)\n"
    text += f"json.dump({manifest!r}, open('/work/manifest.json', 'w'))\nos._exit(0)\n"
    job = ada.build(text)
    assert (job["status"], job["error"]["stage"]) == ("failed", "synthesize")
    again = grace.build("# Once more.\n" + GOOD)
    assert grace.get(f"/jobs/{again['job_id']}/manifest") == manifest
