"""Stores to test: on SQLite, and on a private PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from jupyter_fpga.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of an empty database."""
    return f"sqlite:///{tmp_path}/lab.sqlite"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open store."""
    store = await Store.open(url)
    yield store
    await store.close()
