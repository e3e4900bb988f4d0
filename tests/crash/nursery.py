"""The process that labs of these tests are forked from."""

import asyncio
import json
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

RESOURCES = Path(__file__).parent / "resources"


PATIENCE = 60.0
"""Seconds within which something must have happened; on an idle machine nothing here takes five."""


class Nursery:
    """The process that labs are forked from."""

    def __init__(self, runtime: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(RESOURCES / "nursery.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=dict(os.environ, JUPYTER_RUNTIME_DIR=str(runtime)),
        )
        self.pid = self._process.pid

    def command(self, **command: Any) -> None:
        """Start a lab."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    async def answer(self) -> dict[str, Any]:
        """The next thing that is said of it."""
        return await asyncio.to_thread(self._answer)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        readable, _, _ = select.select([self._process.stdout], [], [], PATIENCE)
        assert readable, "the lab neither became ready nor ended"
        line = self._process.stdout.readline()
        assert line, "the nursery ended"
        return dict(json.loads(line))

    def descendants(self) -> dict[int, str]:
        """The processes that labs have started, and that run: pid → command line."""
        parents: dict[int, int] = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                state, parent = path.read_bytes().rpartition(b")")[2].split()[:2]
            except (FileNotFoundError, ProcessLookupError):
                continue
            if state not in (b"Z", b"X"):
                parents[int(path.parent.name)] = int(parent)
        found: dict[int, str] = {}
        for pid in parents:
            ancestor = parents.get(pid, 0)
            while ancestor > 1 and ancestor != self.pid:
                ancestor = parents.get(ancestor, 0)
            if ancestor == self.pid:
                found[pid] = _command_line(pid)
        return found

    def close(self) -> None:
        """End it, and whatever is left of its labs."""
        self._process.terminate()
        self._process.wait(PATIENCE)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


def _command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
