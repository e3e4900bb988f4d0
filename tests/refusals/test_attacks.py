"""Designs that are attacks: each gets its own answer, and the next person's job works."""

import re
from pathlib import Path

import pytest

from .conftest import GOOD, SECRET, STAGE_SECONDS, Lab, Person
from .designs import MEMORY, check

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
