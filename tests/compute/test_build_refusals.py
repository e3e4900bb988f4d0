"""Builds that fail: at limits, by their design, by a tool, by what is forged."""

import json

import pytest

from jupyter_fpga.compute import BuildFailed, BuildOptions, Limits, Source
from jupyter_fpga.compute.builds.functions import LIMITS
from jupyter_fpga.compute.sandbox.limits import MIB
from jupyter_fpga.errors import Invalid

from .builds import Heard, Make, design, fail

SMALL = {
    **LIMITS,
    "elaborate": Limits(
        wall_seconds=60,
        cpu_seconds=60,
        memory_bytes=256 * MIB,
        processes=20,
        disk_bytes=8 * MIB,
        output_bytes=MIB // 2,
        files=100,
    ),
}
SHORT = {**LIMITS, "elaborate": Limits(wall_seconds=0.5)}
SLOW = {**LIMITS, "elaborate": Limits(cpu_seconds=0.2)}


@pytest.mark.parametrize(
    ("text", "limits", "code", "message"),
    [
        (
            "while True: pass",
            SHORT,
            "time_limit",
            "Elaboration ran longer than its limit of 0.5 s; look for a loop that never ends, or make the design "
            "smaller.",
        ),
        (
            "while True: pass",
            SLOW,
            "cpu_limit",
            "Elaboration used more than its limit of 0.2 s of processor time; look for a loop that never ends, or "
            "make the design smaller.",
        ),
        (
            "a = []\nwhile True: a.append(b'x' * 1000000)",
            SMALL,
            "memory_limit",
            "Elaboration used more than its limit of 256 MiB of memory; make the design, or the tables that it "
            "computes, smaller.",
        ),
        (
            "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass",
            SMALL,
            "process_limit",
            "Elaboration started more than its limit of 20 processes and threads; a design needs none of its own.",
        ),
        (
            "n = 0\nwhile True:\n  open(f'f{n}', 'wb').write(b'x' * 1000000); n += 1",
            SMALL,
            "disk_limit",
            "Elaboration wrote more than its limit of 8 MiB of files; a design needs none of its own.",
        ),
        (
            "n = 0\nwhile True:\n  open(f'f{n}', 'wb').close(); n += 1",
            SMALL,
            "file_limit",
            "Elaboration made more than its limit of 100 files; a design needs none of its own.",
        ),
        (
            "while True: print('x' * 1000)",
            SMALL,
            "output_limit",
            "Elaboration printed more than its limit of 0.5 MiB or 20,000 lines; print less.",
        ),
        (
            "while True: print()",
            LIMITS,
            "output_limit",
            "Elaboration printed more than its limit of 4 MiB or 20,000 lines; print less.",
        ),
    ],
)
async def test_limits_are_named(make: Make, text: str, limits: dict[str, Limits], code: str, message: str) -> None:
    error = await fail(await make(limits=limits), text)
    # The next job is unharmed.
    await (await make()).build(design("good = 1"), BuildOptions())
    assert error.message == message
    assert error.as_dict() == {
        "error": code,
        "message": message,
        "detail": {"stage": "elaborate", "reason": message},
    }


async def test_an_error_of_the_design_has_its_place(make: Make) -> None:
    told = {
        "code": "no_top",
        "message": "There is no top.",
        "file": "design.py",
        "line": 3,
        "column": None,
        "text": "class A:",
        "frames": [{"file": "design.py", "line": 3, "function": "f", "text": "class A:"}],
    }
    error = await fail(await make(), f"import json, sys\njson.dump({told!r}, open('error.json', 'w'))\nsys.exit(3)")
    assert (error.code, error.message, error.stage) == ("no_top", "There is no top.", "elaborate")
    assert (error.file, error.line, error.column, error.text) == ("design.py", 3, None, "class A:")
    assert error.frames == told["frames"]
    assert error.detail["line"] == 3
    assert "column" not in error.detail


async def test_memory_that_the_kernel_refuses_is_the_limit_too(make: Make) -> None:
    told = {"code": "elaboration_failed", "message": "MemoryError", "file": "design.py", "line": 2}
    error = await fail(await make(), f"import json, sys\njson.dump({told!r}, open('error.json', 'w'))\nsys.exit(3)")
    assert (error.code, error.line) == ("memory_limit", 2)
    assert error.message == (
        "Elaboration used more than its limit of 1024 MiB of memory; make the design, or the tables that it "
        "computes, smaller."
    )


FORGED = [
    "7",
    '{"code": 7}',
    '{"code": "x", "message": null}',
    '{"code": "No such code", "message": "x"}',
    '{"code": "x", "message": ' + "[" * 100_000,
    '{"code": "x", "message": "' + "x" * (1 << 20) + '"}',
]


@pytest.mark.parametrize("text", FORGED, ids=range(len(FORGED)))
async def test_a_forged_error_is_not_believed(make: Make, text: str) -> None:
    error = await fail(await make(), f"import sys\nopen('error.json', 'w').write({text!r})\nsys.exit(3)")
    assert error.code == "tool_failed"
    assert error.message == "Elaboration failed, and what it said of the reason can't be read."


async def test_of_a_forged_error_only_what_can_be_is_kept(make: Make) -> None:
    told = (
        r'{"code": "x", "message": "a\ud800b\u0000", "file": 7, "line": 1e999, "column": '
        + "9" * 30
        + r', "text": NaN,'
        r' "frames": [1, {"file": "f", "line": 2, "function": "g", "text": "t", "more": {}}, {"file": "f"}]}'
    )
    error = await fail(await make(), f"import sys\nopen('error.json', 'w').write({told!r})\nsys.exit(3)")
    assert error.as_dict() == {
        "error": "x",
        "message": "a?b\N{REPLACEMENT CHARACTER}",
        "detail": {
            "stage": "elaborate",
            "reason": "a?b\N{REPLACEMENT CHARACTER}",
            "frames": [{"file": "f", "function": "g", "text": "t", "line": 2}],
        },
    }


async def test_a_tool_that_crashes_is_quoted(make: Make) -> None:
    error = await fail(await make(), "import os\nprint('one')\nprint('last words', flush=True)\nos._exit(7)")
    assert error.code == "tool_failed"
    assert error.message == (
        "Elaboration failed: its program ended with exit code 7; look for something in the design that ends Python by "
        "force, such as os._exit. Its last words: last words"
    )
    assert error.detail["tail"] == "one\nlast words"


async def test_a_tool_that_leaves_nothing(make: Make) -> None:
    error = await fail(await make(), "import os\nos._exit(0)")
    assert error.message == (
        "Elaboration failed: its program left no netlist.json and no manifest.json; look for something in the design "
        "that ends Python by force, such as os._exit."
    )


async def test_what_is_left_and_is_no_file(make: Make) -> None:
    error = await fail(await make(), "import os\nos.symlink('/etc/shadow', 'netlist.il')\nos._exit(0)")
    assert (error.code, error.stage) == ("bad_output", "elaborate")
    assert error.message == (
        "Elaboration failed: the program left netlist.il as something else than a plain file; it was not read. Look "
        "for something in the design that makes files of its own; it needs none."
    )


def forging(netlist: str, manifest: dict[str, object], **about: object) -> Source:
    """A design that writes the results of its elaboration itself."""
    told = {"language": "rtlil", "files": ["netlist.il"], "top": "lab_window", "whole_soc": False, **about}
    files = {"netlist.il": netlist, "netlist.json": json.dumps(told), "manifest.json": json.dumps(manifest)}
    return design(f"import os\nfor n, t in {files!r}.items(): open(n, 'w').write(t)\nos._exit(0)")


async def test_nobody_gets_anothers_board_for_a_forged_name(make: Make) -> None:
    """What an elaboration says of its own result names nothing: the lab looks at the netlist itself."""
    builds = await make()
    good = await builds.build(design("netlist = 'good'"), BuildOptions())
    manifest = good.manifest.to_json()
    evil = await builds.build(forging("evil", manifest, digest=good.digest), BuildOptions())
    assert evil.artifacts["bitstream"].read_text() == f"base\nevil\n{evil.manifest.identifier}"
    assert len({evil.digest, good.digest}) == len({evil.manifest.identifier, good.manifest.identifier}) == 2
    again = await builds.build(design("netlist = 'good'"), BuildOptions())
    assert again.artifacts["bitstream"].read_text() == f"base\ngood\n{good.manifest.identifier}"


async def test_equal_netlists_with_other_manifests_are_other_builds(make: Make) -> None:
    builds = await make()
    good = await builds.build(design("netlist = 'good'"), BuildOptions())
    heard = Heard()
    renamed = {**good.manifest.to_json(), "top": "another"}
    other = await builds.build(forging("good", renamed), BuildOptions(), **heard.listeners)
    assert (other.manifest.top, good.manifest.top) == ("another", "top")
    assert other.digest != good.digest
    assert other.manifest.identifier == good.manifest.identifier
    assert heard.work[2:] == [("synthesize", "complete", True), ("compile", "complete", True)]


async def test_results_that_can_not_be_used(make: Make) -> None:
    builds = await make()
    with pytest.raises(BuildFailed) as caught:
        await builds.build(forging("x", {"window": "open"}), BuildOptions())
    assert (caught.value.code, caught.value.stage) == ("bad_output", "elaborate")
    assert caught.value.message == (
        "What the elaboration left can't be used: manifest.json is not a manifest: window is of another kind. Nothing "
        "but the lab itself may write these files; look for something in the design that does, or that ends Python "
        "early."
    )


@pytest.mark.parametrize("name", ["../x.py", "/x.py", "a/../x.py", "./x.py", "a//x.py", "x\0.py", ""])
def test_names_that_lead_out_of_a_bundle(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        Source({name: b""}, name)
    assert caught.value.code == "bad_name"
    assert caught.value.message == (
        f"The file name {name!r} leads out of the design's own folder; use plain names such as 'design.py' or "
        "'rtl/uart.v'."
    )


def test_an_entry_that_is_not_there() -> None:
    with pytest.raises(Invalid) as caught:
        Source({"b.v": b"", "a.v": b""}, "c.v")
    assert caught.value.code == "bad_entry"
    assert caught.value.message == "The design's entry 'c.v' is not among its files (a.v, b.v)."
