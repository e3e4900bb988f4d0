"""A whole lab as a process, with three people: what the doors and the floors say together."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.client import start_lab

KEYS = {"ada": "ada-0123456789abcdef", "grace": "grace-0123456789abcdef", "olga": "olga-0123456789abcdef"}
ROLES = {"ada": ["student"], "grace": ["student"], "olga": ["operator"]}


@dataclass
class Place:
    """Where the lab is, and its owner's token."""

    url: str
    token: str


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("lab")
    keys = folder / "keys.json"
    keys.touch(mode=0o600)
    people = [{"name": name, "key": key, "roles": ROLES[name]} for name, key in KEYS.items()]
    keys.write_text(json.dumps({"keys": people}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_RUNTIME_DIR", str(folder / "runtime"))
        lab = start_lab([f"--data-dir={folder / 'data'}", "--boards=2", f"--keys={keys}", "--idle-exit=600"])
    try:
        yield Place(lab.url, lab.token)
    finally:
        lab.process.terminate()
        assert lab.process.wait() == 0


@pytest.fixture
async def people(place: Place, new_client: Any) -> AsyncIterator[dict[str, Any]]:
    """A client for each person."""
    clients = {name: new_client(place.url, key) for name, key in KEYS.items()}
    yield clients
    for client in clients.values():
        await client.close()
