"""Labs that die: rooms for them, and the builds that they share."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from .room import LEDGER, Room


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of builds that all labs of these tests share."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "records").mkdir()
    return folder


class Rooms:
    """Keeps one room, whose lab goes on from test to test as long as all is well."""

    def __init__(self, folder: Callable[[], Path], cache: Path) -> None:
        self._folder = folder
        self._cache = cache
        self._room: Room | None = None
        self._options: Sequence[str] = ()
        self._primed = False

    async def room(self, options: Sequence[str]) -> Room:
        """A room whose lab has these options and runs."""
        if self._room is not None and options != self._options:
            await self.stop()
        if self._room is None:
            self._options = options
            self._room = Room(self._folder(), self._cache, options)
            await self._room.start()
            if not self._primed:
                # What scenarios submit is built already, unless the build is what they are about.
                for params in ({}, {"SERIAL": 1}):
                    job = await self._room.call("POST", "/build", {"source": LEDGER, "params": params})
                    await self._room.done(job["job_id"])
                self._primed = True
        return self._room

    async def stop(self) -> None:
        """Stop the lab in order."""
        if self._room is not None:
            await self._room.stop()
            self.close()

    def close(self) -> None:
        """End what there is; the next test gets another room."""
        if self._room is not None:
            self._room.close()
            self._room = None


@pytest.fixture(scope="module")
def rooms(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Rooms]:
    """Rooms for a module's tests."""
    rooms = Rooms(lambda: tmp_path_factory.mktemp("room"), cache)
    yield rooms
    rooms.close()
