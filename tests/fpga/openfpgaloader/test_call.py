"""The bounds of a call: time, output, what it sees, and that nothing of it is left."""

import asyncio
import contextlib
import os
import re
import sys
from pathlib import Path

import pytest

from jupyter_fpga.compute import Sandbox
from jupyter_fpga.fpga.openfpgaloader import Walls, call


async def gone(pid: int) -> None:
    """Return when a process has ended."""
    with contextlib.suppress(ProcessLookupError):
        descriptor = os.pidfd_open(pid)
        over = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, over.set)
        try:
            async with asyncio.timeout(30):
                await over.wait()
        finally:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)


async def test_lines_and_progress_are_told_as_they_come(tmp_path: Path) -> None:
    lines: list[str] = []
    script = "printf 'Loading: 0%%\\rLoading: 50%%\\r\\nDone\\n\\n  last'; echo ' words' >&2"
    outcome = await call(["/bin/sh", "-c", script], work=tmp_path, seconds=30, log=lines.append)
    assert (outcome.status, lines) == (0, ["Loading: 0%", "Loading: 50%", "Done", "last words"])


async def test_the_environment_is_clean_and_the_folder_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET", "1")
    # The limits are set right after the program has been started.
    script = "env; pwd; until [ $(ulimit -n) = 256 ]; do sleep 0.01; done; ulimit -c; ulimit -n"
    outcome = await call(["/bin/sh", "-c", script], work=tmp_path, seconds=30)
    names = {line.partition("=")[0] for line in outcome.text.splitlines() if "=" in line}
    assert names <= {"PATH", "HOME", "TMPDIR", "LANG", "PWD", "_", "SHLVL", "OLDPWD"}
    assert outcome.text.splitlines()[-3:] == [str(tmp_path), "0", "256"]


async def test_a_child_that_keeps_the_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    outcome = await call(["/bin/sh", "-c", "sleep 1000 & echo $!"], work=tmp_path, seconds=600)
    assert outcome.status == 0
    await gone(int(outcome.text))


async def test_too_late(tmp_path: Path) -> None:
    outcome = await call(["/bin/sh", "-c", "sleep 1000 & echo $!; wait"], work=tmp_path, seconds=0.5)
    assert (outcome.status, outcome.seconds) == (None, 0.5)
    await gone(int(outcome.text))


async def test_too_much(tmp_path: Path) -> None:
    lines: list[str] = []
    outcome = await call(["/usr/bin/yes", "x" * 300], work=tmp_path, seconds=600, log=lines.append)
    assert (outcome.status, outcome.flooded, len(outcome.text)) == (None, True, 65536)
    assert lines == ["x" * 200] * 400 + ["(The programmer prints more, which is left out.)"]


async def test_cancelled(tmp_path: Path) -> None:
    began: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    script = "sleep 1000 & echo $!; wait"
    running = asyncio.create_task(
        call(["/bin/sh", "-c", script], work=tmp_path, seconds=600, log=lambda line: began.set_result(line))
    )
    child = int(await began)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await gone(child)


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await call([str(tmp_path / "nothing")], work=tmp_path, seconds=1)


async def test_behind_walls_it_sees_no_home_no_network_and_nothing_to_write(tmp_path: Path) -> None:
    work, secret = tmp_path / "work", tmp_path / "secret"
    work.mkdir()
    secret.write_text("secret")
    script = (
        f"cat {secret}; ls -A /home /root /etc; touch /usr/x /sys/x; echo mine > mine; cat mine; "
        "cat /proc/net/dev | wc -l; ls /proc | grep -c '^[0-9]*$'; ls /dev/bus /dev"
    )
    bwrap = Sandbox.probe().bwrap
    assert bwrap is not None
    outcome = await call(["/bin/sh", "-c", script], work=work, seconds=30, walls=Walls(bwrap))
    text = outcome.text
    assert "secret:" not in text.replace(f"{secret}: No such file", "")
    assert f"cat: {secret}: No such file or directory" in text
    assert "cannot access '/home'" in text
    assert "cannot touch '/usr/x': Read-only file system" in text
    assert re.search(r"^mine$", text, re.MULTILINE)
    # Two lines of heads, and the loopback interface.
    assert re.search(r"^3$", text, re.MULTILINE)
    assert (work / "mine").read_text() == "mine\n"


async def test_walls_end_what_would_live_on(tmp_path: Path) -> None:
    bwrap, python = Sandbox.probe().bwrap, os.path.realpath(sys.executable)  # noqa: ASYNC240
    marker = tmp_path / "work"
    marker.mkdir()
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    [time.sleep(1) for _ in range(1000)]\n"
        "print('up', flush=True)\n"
        "time.sleep(1000)\n"
    )
    up = asyncio.Event()
    prefix = Path(sys.base_prefix)
    running = asyncio.create_task(
        call(
            [python, "-c", code],
            work=marker,
            seconds=600,
            log=lambda line: up.set(),
            walls=Walls(bwrap),
            see=() if prefix == Path("/usr") else (prefix,),
        )
    )
    async with asyncio.timeout(60):
        await up.wait()
    pids = [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _works_in(pid, marker)]
    assert len(pids) >= 2
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    for pid in pids:
        await gone(pid)


def _works_in(pid: int, folder: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == folder
    except OSError:
        return False
