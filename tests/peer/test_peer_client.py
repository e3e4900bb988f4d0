"""``manhattan-reasoning-gym`` 0.1.11 from PyPI, unmodified, against a running lab."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.client import LabClient

RESOURCES = Path(__file__).parent / "resources"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _mrg(run_peer: Run, lab: Any, *words: str, person: str = "ada") -> "subprocess.CompletedProcess[str]":
    code = "import sys; from manhattan_reasoning_gym._cli import main; main()"
    return run_peer("-c", code, *words, "--api-url", lab.url, person=person)


@pytest.mark.parametrize("transport", ["websocket", "http"])
def test_app_programs_reads_writes_and_releases(transport: str, run_peer: Run) -> None:
    done = run_peer(str(RESOURCES / "session.py"), transport, str(RESOURCES / "memory.py"))
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen.pop("fpga_id") in (0, 1)
    assert {"created_at", "expires_at", "fpga_id", "owner", "remaining_seconds", "session_id"} <= set(
        seen.pop("session")
    )
    assert seen == {
        "first": 0xDEADBEEF,
        "four": [0xDEADBEEF, 1, 0xFFFFFFFF, 0x12345678],
        "writes": 4,
        "fixed": [0xDEADBEEF, 1, 9, 0x12345678],
        "writes_after": 7,
        "board": "reserved",
        "complete": True,
        "reset": "complete",
    }


def test_single_file_and_the_command_line(run_peer: Run, lab: Any, ada: LabClient, tmp_path: Path) -> None:
    job = ada.submit(RESOURCES / "scratch.v").wait()
    board = str(job.fpga_id)
    written = _mrg(run_peer, lab, "write", board, "0x0", "0x0f0f0f0f")
    assert written.returncode == 0, written.stderr
    read = _mrg(run_peer, lab, "read", board, "0x0", "--count", "2")
    assert "0f0f0f0f" in read.stdout.lower(), read.stdout + read.stderr
    assert "f0f0f0f0" in read.stdout.lower()
    status = _mrg(run_peer, lab, "status")
    assert status.returncode == 0, status.stderr
    assert "reserved" in status.stdout
    jobs = _mrg(run_peer, lab, "jobs")
    assert jobs.returncode == 0, jobs.stderr
    assert "build_and_program" in jobs.stdout
    logs = _mrg(run_peer, lab, "logs", job.id)
    assert logs.returncode == 0, logs.stderr
    assert logs.stdout.strip() == job.logs().strip()
    shown = _mrg(run_peer, lab, "job", job.id)
    assert shown.returncode == 0, shown.stderr
    assert "complete" in shown.stdout
    reset = _mrg(run_peer, lab, "reset", board)
    assert reset.returncode == 0, reset.stderr


def test_another_persons_board_is_refused(run_peer: Run, lab: Any, ada: LabClient) -> None:
    board = ada.submit(RESOURCES / "scratch.v").wait().board()
    refused = _mrg(run_peer, lab, "write", str(board.fpga_id), "0x0", "1", person="grace")
    assert refused.returncode != 0
    assert "403" in refused.stderr + refused.stdout
    assert board.read(0) == [0]
    board.release().wait()


def test_cancel_and_a_failing_design(run_peer: Run, lab: Any, ada: LabClient, tmp_path: Path) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("while True: pass\n")
    job = ada.submit(slow)
    cancelled = _mrg(run_peer, lab, "cancel", job.id)
    assert cancelled.returncode == 0, cancelled.stderr
    assert ada.job(job.id).status == "cancelled"
    broken = tmp_path / "broken.py"
    broken.write_text("from amaranth import *\nx = 1 / 0\n")
    failed = run_peer(str(RESOURCES / "session.py"), "http", str(broken))
    assert failed.returncode != 0
    assert "ended with status 'failed'" in failed.stderr
    assert "ZeroDivisionError" in failed.stderr
