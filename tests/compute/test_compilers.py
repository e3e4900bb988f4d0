import json
import os
from pathlib import Path

import pytest

from jupyter_fpga.compute.builds.compilers import Compiler, find_compiler, warm_compiler
from jupyter_fpga.compute.builds.toolchains import Toolchains, ToolMissing, Yosys
from jupyter_fpga.compute.sandbox.walls import SEARCHED

ZIG = """\
import json, os, pathlib, sys
if "--version" in sys.argv:
    print("clang version 99")
    sys.exit()
with open({log!r}, "a") as log:
    print(json.dumps([sys.argv[1:], os.environ["PATH"], os.environ["ZIG_GLOBAL_CACHE_DIR"]]), file=log)
sys.exit(pathlib.Path({log!r}).with_name("broken").exists())
"""


@pytest.fixture
def zig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file where a program in zig's place writes down how it is called; it fails when ``broken`` is beside it."""
    log = tmp_path / "calls"
    wheel = tmp_path / "wheel"
    (wheel / "ziglang").mkdir(parents=True)
    (wheel / "ziglang" / "__init__.py").touch()
    (wheel / "ziglang" / "__main__.py").write_text(ZIG.format(log=str(log)))
    (wheel / "ziglang-0.99.dist-info").mkdir()
    (wheel / "ziglang-0.99.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: ziglang\nVersion: 0.99\n")
    monkeypatch.syspath_prepend(str(wheel))
    monkeypatch.setenv("PYTHONPATH", str(wheel))
    return log


def calls(log: Path) -> list[list[object]]:
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


async def warm(compiler: Compiler, cache: Path) -> list[str]:
    tools = Toolchains(Yosys("yosys", "0.70", wheel=False), compiler, cache, {"gateware": "1"})
    said: list[str] = []
    await tools.warm_up(said.append)
    return said


async def test_zig_is_found_without_being_prepared(zig: Path, tmp_path: Path) -> None:
    compiler = await find_compiler({"PATH": "", "CXX": "icpx"}, tmp_path)
    assert compiler.zig
    assert compiler.version == "zig 0.99, clang version 99"
    assert compiler.examined == (
        "$CXX (icpx): no such program",
        "c++: not on PATH",
        "g++: not on PATH",
        "clang++: not on PATH",
    )
    assert calls(zig) == []


async def test_zig_is_prepared_once_for_what_sandboxes_see(
    zig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = await find_compiler({"PATH": ""}, tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (chore,) = warm_compiler(compiler, tmp_path)
    assert chore.what == "the C++ compiler"
    assert (await warm(compiler, tmp_path))[0] == (
        "Making the Python packages of designs and the C++ compiler ready for this machine (once, some minutes)."
    )
    assert calls(zig) == [
        [["c++", "-std=c++17", "-O1", "-c", "try.cc", "-o", "1.o"], SEARCHED, str(tmp_path / "zig")],
        [["c++", "-std=c++17", "-O0", "-c", "try.cc", "-o", "0.o"], SEARCHED, str(tmp_path / "zig")],
        [["c++", "1.o", "-o", "try"], SEARCHED, str(tmp_path / "zig")],
    ]
    assert warm_compiler(compiler, tmp_path) == []
    assert await warm(compiler, tmp_path) == []


async def test_a_zig_that_does_not_compile(zig: Path, tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    compiler = await find_compiler({"PATH": ""}, tmp_path)
    with pytest.raises(ToolMissing) as caught:
        await warm(compiler, tmp_path)
    assert caught.value.message == (
        "There is no C++ compiler that the lab can use. Examined: c++: not on PATH; g++: not on PATH; clang++: not on "
        "PATH; zig: can't compile and link a C++ program of three lines. Install one: "
        'pip install "jupyter-fpga[zig]", or on Debian and Ubuntu: apt install g++'
    )
    assert len(warm_compiler(compiler, tmp_path)) == 1


async def test_other_compilers_need_no_preparing(tmp_path: Path) -> None:
    assert warm_compiler(Compiler("c++", "1"), tmp_path) == []
