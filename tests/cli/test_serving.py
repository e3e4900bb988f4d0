"""A lab as a process of its own: started by who needs it, ended when nobody does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_fpga.client import LabClient, Unavailable, start_lab


@pytest.fixture
def environment(served_lab, tmp_path):
    """Folders of its own, but the served lab's caches would be another lab's: a lab without boards needs none."""
    return {**served_lab.environment, **{f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("RUNTIME", "DATA")}}


def test_a_lab_ends_itself_when_nobody_needs_it(environment):
    lab = start_lab(["--boards=0", "--idle-exit=0.2"], environment=environment)
    assert lab.process.wait(60) == 0
    assert list(Path(environment["JUPYTER_RUNTIME_DIR"]).glob("fpga-lab.json")) == []


def test_two_that_start_at_once_get_the_same_lab(environment):
    first = start_lab(["--boards=0"], environment=environment)
    try:
        second = start_lab(["--boards=0"], environment=environment)
        assert (second.url, second.token, second.pid) == (first.url, first.token, first.pid)
        assert second.process.wait(60) == 0
        with LabClient(second.url, second.token) as client:
            assert client.boards() == []
    finally:
        first.process.terminate()
        assert first.process.wait(60) == 0


def test_a_lab_that_can_not_start_says_why(environment):
    with pytest.raises(Unavailable) as refusal:
        start_lab(["--keys=missing.json"], environment=environment)
    assert str(refusal.value) == (
        "The lab ended before it was ready (status 2): The keys file missing.json can't be read (No such file or "
        "directory); create it with mode 0600. `jupyter fpga doctor` tells what is missing."
    )
    assert refusal.value.code == "lab_not_started"


def test_the_demo_runs_the_main_job_and_leaves_nothing_behind(served_lab, tmp_path):
    environment = {**served_lab.environment, "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime")}
    environment["JUPYTER_DATA_DIR"] = str(tmp_path / "data")
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_fpga.cli", "demo"], capture_output=True, text=True, env=environment, timeout=600
    )
    assert done.returncode == 0, done
    assert "No lab runs here: starting one for this demo." in done.stdout
    assert "compile" in done.stdout
    assert "Write half_period = 1200000, read it back: 1200000." in done.stdout
    assert done.stdout.count("●") == 3
    assert done.stdout.count("○") == 3
    assert "The board is given back, and reset." in done.stdout
    assert processes_that_name(str(tmp_path)) == []


def test_the_demo_uses_the_lab_that_runs(served_lab, lab):
    done = subprocess.run(
        [sys.executable, "-m", "jupyter_fpga.cli", "demo"],
        capture_output=True,
        text=True,
        env=served_lab.environment,
        timeout=600,
    )
    assert done.returncode == 0, done
    assert done.stdout.startswith(f"Using the lab at {served_lab.url}.\n")
    assert lab.held() == []


def processes_that_name(text):
    """Command lines of living processes that have ``text`` in them or in their environment."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and int(folder.name) != os.getpid():
            try:
                if text.encode() in (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes():
                    found.append((folder / "cmdline").read_bytes())
            except OSError:
                # It has ended meanwhile, or is another user's.
                continue
    return found
