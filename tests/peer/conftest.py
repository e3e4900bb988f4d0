"""A lab as a process, with two people's keys, and the peer's client from PyPI in a folder of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from jupyter_fpga.client import LabClient, start_lab

PEER = "manhattan-reasoning-gym==0.1.11"


@dataclass
class Lab:
    """Where the lab is, and who may use it."""

    url: str
    keys: dict[str, str]


@pytest.fixture(scope="session")
def peer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The unmodified client, not installed: a folder for ``PYTHONPATH``. It asks for Python 3.12, and runs on 3.11."""
    folder = tmp_path_factory.mktemp("peer")
    command = [sys.executable, "-m", "pip", "install", "-q", "--ignore-requires-python", "--target", str(folder), PEER]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"{PEER} can't be had: {done.stderr.strip()[-300:]}")
    return folder


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("lab")
    keys = {"ada": "ada-0123456789abcdef", "grace": "grace-0123456789abcdef"}
    file = folder / "keys.json"
    people = [{"name": name, "key": key, "roles": ["student"]} for name, key in keys.items()]
    file.write_text(json.dumps({"keys": people}))
    file.chmod(0o600)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        started = start_lab([f"--data-dir={folder / 'data'}", "--boards=2", f"--keys={file}", "--idle-exit=600"])
    try:
        yield Lab(started.url, keys)
    finally:
        started.process.terminate()
        started.process.wait()


@pytest.fixture
def run_peer(peer: Path, lab: Lab, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run Python with the peer's client on its path, as Ada unless said."""

    def run(*command: str, person: str = "ada") -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "PYTHONPATH": str(peer),
            "MRG_API_KEY": lab.keys[person],
            "LAB_URL": lab.url,
        }
        return subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, timeout=240)

    return run


@pytest.fixture
def ada(lab: Lab) -> Iterator[LabClient]:
    with LabClient(lab.url, lab.keys["ada"]) as client:
        yield client
