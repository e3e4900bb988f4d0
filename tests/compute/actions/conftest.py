"""A real compute floor: a store on disk, real programs behind the walls that this machine has."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.actions import Compute, ComputeConfig
from jupyter_fpga.compute.actions.builtin import builtin_version
from jupyter_fpga.compute.cache import ActionCache
from jupyter_fpga.compute.runners import ActionRunner
from jupyter_fpga.compute.runners.direct import DirectRunner
from jupyter_fpga.compute.sandbox import Runner, Sandbox
from jupyter_fpga.people import Person
from jupyter_fpga.store import Store

ANN = Person("ann")
BEN = Person("ben")
OLGA = Person("olga", frozenset(("student", "operator")))

NOOP = builtin_version("noop", 1)
HASH = builtin_version("hash", 1)
VERSION = "00000000-0000-4000-8000-000000000001"

SCRIPT = """#!/bin/sh
# The constants say what to do; the inputs are there by name.
set -e
case "$1" in
  copy) for name in inputs/*; do cp "$name" "outputs/$(basename "$name")"; done; echo "copied" ;;
  fail) echo "no good" >&2; exit 3 ;;
  sleep) echo "asleep"; sleep 600 ;;
  count) echo "counting"; cat request.json > outputs/request.json ;;
  full) while :; do cat /dev/zero; done > outputs/zeros ;;
esac
"""
FUNCTIONS = ("copy", "fail", "sleep", "count", "full")


def noop(number: int = 0, **more: Any) -> dict[str, Any]:
    """An action of the built-in that does nothing."""
    return {"function": "noop", "function_version": NOOP, "constants": {"number": number}, **more}


def call(function: str, inputs: Mapping[str, bytes] | None = None, **more: Any) -> dict[str, Any]:
    """An action of the script worker."""
    named = {name: {"hash": sha256(content), "size": len(content)} for name, content in (inputs or {}).items()}
    return {"function": function, "function_version": VERSION, "inputs": named, **more}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Room:
    """A compute floor that can be stopped and started again on the same folder."""

    def __init__(self, folder: Path, sandbox: Sandbox, url: str = "", **options: Any) -> None:
        self.folder = folder
        self.url = url or f"sqlite:///{folder / 'lab.sqlite'}"
        self.options = options
        self.sandbox = sandbox
        self.worker = ""

    async def start(self, runner: ActionRunner | None = None) -> None:
        self.store = await Store.open(self.url, clock=self.options.get("clock"))
        self.cache = ActionCache(self.folder / "cache")
        self.compute = Compute(
            store=self.store,
            folder=self.folder / "compute",
            cache=self.cache,
            runner=runner or DirectRunner(Runner(self.sandbox), capacity=2),
            sandbox=self.sandbox,
            **self.options,
        )
        await self.compute.start()

    async def stop(self) -> None:
        await self.compute.stop()
        await self.store.close()

    async def put(self, person: Person, content: bytes, hash: str | None = None) -> str:
        path = self.folder / f"upload-{sha256(content)[:8]}"
        path.write_bytes(content)
        hash = hash or sha256(content)
        await self.compute.put_chunk(person, hash, path)
        return hash

    async def register(self, script: str = SCRIPT, **more: Any) -> str:
        descriptor = {
            "name": "script",
            "functions": [{"name": name, "version": VERSION} for name in FUNCTIONS],
            "executables": {"bin/script": await self.put(OLGA, script.encode())},
            **more,
        }
        self.worker = (await self.compute.register(OLGA, descriptor))["worker"]
        return self.worker

    async def end(self, person: Person, action: Mapping[str, Any], **how: Any) -> dict[str, Any]:
        """Submit, and wait for the end."""
        answer = await self.compute.submit(person, action, **how)
        return await self.compute.job(person, answer["lsn"], wait=60)

    async def in_state(self, person: Person, lsn: int, *states: str) -> dict[str, Any]:
        """Wait until an action is in one of some states."""
        events = self.store.events.subscribe(0)
        while True:
            job = await self.compute.job(person, lsn)
            if job["state"] in states:
                return job
            await asyncio.wait_for(anext(events), 30)

    async def kinds(self, lsn: int) -> list[str]:
        """Kinds of the events of an action, in order."""
        news = await self.store.events.since(0, 100_000)
        return [event.kind for event in news if event.lsn == lsn or event.data.get("action_lsn") == lsn]


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return Sandbox.probe()


@pytest.fixture
def make_room(tmp_path: Path, sandbox: Sandbox, url: str) -> Callable[..., Room]:
    def make(**options: Any) -> Room:
        return Room(tmp_path, sandbox, url, **options)

    return make


@pytest.fixture
async def room(make_room: Callable[..., Room]) -> AsyncIterator[Room]:
    """A floor with two places and the script worker."""
    room = make_room(config=ComputeConfig(retry_seconds=(0.01,)))
    await room.start()
    await room.register()
    yield room
    await room.stop()
