"""What a lab that nobody uses costs: ten idle boards and their server.

Processor time and resident memory as the kernel accounts them, printed as a table; nothing is asserted about time.
"""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_fpga.client import LabClient, start_lab

pytestmark = pytest.mark.benchmark

BOARDS = 10
SECONDS = 60
DESIGN = Path(__file__).parent / "designs" / "pwm.py"


def _descendants(pid: int) -> list[int]:
    """Every process below ``pid``, in whatever session it is."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except FileNotFoundError:
                continue
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def _cpu(pid: int) -> float:
    """Seconds of processor time, user and system."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> float:
    """MiB of resident memory; what several processes share counts in each."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode().rpartition("/")[2]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[LabClient, int]]:
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    started = start_lab([f"--data-dir={tmp_path / 'data'}", f"--boards={BOARDS}", "--idle-exit=600"])
    with LabClient(started.url, started.token) as client:
        yield client, started.pid
    started.process.terminate()
    started.process.wait()


async def _all_idle(client: LabClient) -> None:
    """Wait until every board is idle: the log of events tells when to look again."""
    if all(board["state"] == "idle" for board in await client.aboards()):
        return
    async for _ in client.aevents():
        if all(board["state"] == "idle" for board in await client.aboards()):
            return


def test_idle_lab(lab: tuple[LabClient, int], capsys: pytest.CaptureFixture[str]) -> None:
    client, server = lab
    asyncio.run(_all_idle(client))
    board = client.submit(DESIGN).board()
    assert board.regs.duty.value == 0
    running = [pid for pid in _descendants(server) if _command(pid) == "simulator"]
    resident_running = max(map(_resident, running))
    board.release().wait()
    client.close()
    pids = [server, *_descendants(server)]
    simulators = [pid for pid in pids if _command(pid) == "simulator"]
    assert len(simulators) == BOARDS
    before = {pid: _cpu(pid) for pid in pids}
    time.sleep(SECONDS)  # not waiting for anything: this is the time that is measured
    spent = {pid: _cpu(pid) - before[pid] for pid in pids}
    boards = sum(spent.values()) - spent[server]
    with capsys.disabled():
        print(f"\nTen idle boards and their server, {SECONDS} s")
        print(f"  processor: {sum(spent.values()) / SECONDS:.3%} of a core (goal 0.3 %)", end="")
        print(f", server {spent[server] / SECONDS:.3%}, boards {boards / SECONDS:.3%}")
        print(f"  resident: server {_resident(server):.0f} MiB (goal 150), a running board {resident_running:.1f} MiB")
