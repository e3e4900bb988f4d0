"""A lab as a process of its own, without boards, with three people who use its compute floor."""

import hashlib
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.client import StartedLab, start_lab
from jupyter_fpga.compute.actions.builtin import builtin_version

KEYS = {"ada": "ada-0123456789abcdef", "grace": "grace-0123456789abcdef", "olga": "olga-0123456789abcdef"}
ROLES = {"ada": ["student"], "grace": ["student"], "olga": ["operator"]}
NOOP = builtin_version("noop", 1)
HASH = builtin_version("hash", 1)
VERSION = "00000000-0000-4000-8000-000000000002"
MIXED = {"Content-Type": "multipart/mixed; boundary=edge"}

SCRIPT = b"""#!/bin/sh
case "$1" in
  copy) for name in inputs/*; do cp "$name" "outputs/$(basename "$name")"; done; echo "copied" ;;
  sleep) echo "asleep"; sleep 600 ;;
esac
"""

_numbers = itertools.count()


def noop(**more: Any) -> dict[str, Any]:
    """An action that nobody has asked for yet, and that does nothing."""
    return {"function": "noop", "function_version": NOOP, "constants": {"number": next(_numbers)}, **more}


def hashing(content: bytes, **more: Any) -> dict[str, Any]:
    """An action that needs a chunk."""
    inputs = {"a": {"hash": sha256(content), "size": len(content)}}
    return {"function": "hash", "function_version": HASH, "inputs": inputs, **more}


def call(function: str, inputs: Mapping[str, bytes] | None = None, **more: Any) -> dict[str, Any]:
    """An action of the script's."""
    named = {name: {"hash": sha256(content), "size": len(content)} for name, content in (inputs or {}).items()}
    return {"function": function, "function_version": VERSION, "inputs": named, **more}


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def package(descriptor: Any, *contents: bytes, named: str = "X-Chunk-Hash: {}") -> bytes:
    """A multipart/mixed body."""
    parts = [b"Content-Type: application/json\r\n\r\n" + json.dumps(descriptor).encode()]
    parts += [named.format(sha256(content)).encode() + b"\r\n\r\n" + content for content in contents]
    return b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts) + b"--edge--\r\n"


class People(dict[str, Any]):
    """A client for each person."""

    async def post(self, name: str, path: str, body: Any = None, status: int = 202, **how: Any) -> Any:
        """The answer of a POST that must have this status."""
        response = await self[name].ask("POST", path, body, **how)
        assert response.code == status, (response.code, response.body)
        return json.loads(response.body)

    async def put(self, name: str, content: bytes) -> str:
        """Send a chunk; answers its hash."""
        response = await self[name].ask("PUT", f"/compute/chunks/{sha256(content)}", content)
        assert (response.code, response.body) == (204, b"")
        return sha256(content)

    async def end(self, name: str, lsn: int) -> Any:
        """An action when it has ended."""
        return await self[name].get(f"/compute/jobs/{lsn}?wait=60")

    async def at_work(self, name: str, lsn: int) -> None:
        """Wait until an action runs."""
        events = await self[name].socket(f"/events?since={lsn}")
        while True:
            frame = json.loads(await events.read_message())
            if frame["kind"] == "action_started" and frame["action_lsn"] == lsn:
                events.close()
                return


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], StartedLab]:
    """Start a lab on a data folder."""

    def start(folder: Path) -> StartedLab:
        keys = folder / "keys.json"
        if not keys.exists():
            keys.touch(mode=0o600)
            people = [{"name": name, "key": key, "roles": ROLES[name]} for name, key in KEYS.items()]
            keys.write_text(json.dumps({"keys": people}))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
            return start_lab([f"--data-dir={folder / 'data'}", "--boards=0", f"--keys={keys}", "--idle-exit=600"])

    return start


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, start: Callable[[Path], StartedLab]) -> Iterator[StartedLab]:
    lab = start(tmp_path_factory.mktemp("lab"))
    yield lab
    lab.process.terminate()
    assert lab.process.wait() == 0


@pytest.fixture
async def people(place: StartedLab, new_client: Any) -> AsyncIterator[People]:
    clients = People({name: new_client(place.url, key) for name, key in KEYS.items()})
    yield clients
    for client in clients.values():
        await client.close()


@pytest.fixture
async def worker(people: People) -> str:
    """The worker of the script, registered."""
    script = await people.put("olga", SCRIPT)
    functions = [{"name": name, "version": VERSION} for name in ("copy", "sleep")]
    descriptor = {"name": "script", "functions": functions, "executables": {"bin/script": script}}
    answer = await people.post("olga", "/compute/workers", descriptor, 201)
    return str(answer["worker"])
