"""Bodies that go to the disk while they come: nothing is left of them, whatever becomes of the request."""

import asyncio
from pathlib import Path

import pytest

from jupyter_fpga.errors import Invalid, Unavailable
from jupyter_fpga.server.door import Activity

CHUNK = f"/compute/chunks/{'0' * 64}"
MIXED = "Content-Type: multipart/mixed; boundary=edge"
PACKAGE = (
    b"--edge\r\nContent-Type: application/json\r\n\r\n{}\r\n--edge\r\nX-Chunk-Hash: "
    + b"0" * 64
    + b"\r\n\r\n"
    + b"x" * 600_000
    + b"\r\n--edge--\r\n"
)


class Watched(Activity):
    """Tells when nobody uses the door any more."""

    def __init__(self) -> None:
        super().__init__()
        self.over = asyncio.Event()

    def __enter__(self) -> None:
        super().__enter__()
        self.over.clear()

    def __exit__(self, *about: object) -> None:
        super().__exit__(*about)
        if not self.open:
            self.over.set()


class Chunks:
    """A floor that looks at each chunk and refuses it."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int, Path]] = []

    async def put_chunk(self, person, hash, path):
        self.seen.append((hash, path.stat().st_size, path.parent))
        raise Invalid("It isn't that.", code="chunk_mismatch")


@pytest.fixture
def uploads(door, tmp_path) -> Path:
    folder = tmp_path / "uploads"
    folder.mkdir()
    door.activity = Watched()
    door.here = type(door.here)(door.here.lab, folder, door.here.tokens)
    door.here.lab.compute = Chunks()
    return folder


async def test_the_floor_gets_a_file_and_what_it_leaves_is_removed(client, door, uploads):
    refusal = (422, "chunk_mismatch", "It isn't that.")
    assert await client.refusal("PUT", CHUNK, b"x" * 600_000) == refusal
    await door.activity.over.wait()
    kind = {"Content-Type": "multipart/mixed; boundary=edge"}
    assert await client.refusal("POST", "/compute/jobs", PACKAGE, headers=kind) == refusal
    await door.activity.over.wait()
    assert door.here.lab.compute.seen == [("0" * 64, 600_000, uploads)] * 2
    assert list(uploads.iterdir()) == []


async def test_a_package_that_breaks_off_is_removed(client, door, uploads):
    kind = {"Content-Type": "multipart/mixed; boundary=edge"}
    assert (await client.refusal("POST", "/compute/jobs", PACKAGE[:-20], headers=kind))[:2] == (422, "bad_multipart")
    await door.activity.over.wait()
    assert list(uploads.iterdir()) == []


@pytest.mark.parametrize(("method", "path", "kind"), [("PUT", CHUNK, "A: a"), ("POST", "/compute/jobs", MIXED)])
async def test_a_client_that_goes_away_leaves_nothing(client, wire, door, uploads, method, path, kind):
    async with wire(client) as line:
        line.head(method, path, kind, "Content-Length: 10000000")
        line.writer.write(PACKAGE[:-20])
        await line.writer.drain()
    await door.activity.over.wait()
    assert list(uploads.iterdir()) == []
    assert door.here.lab.compute.seen == []


async def test_a_wrong_package_is_refused_while_it_comes(client, wire, door, uploads):
    async with wire(client) as line:
        line.head("POST", "/compute/jobs", MIXED, "Content-Length: 10000000")
        line.writer.write(b"--edge\r\nContent-Type: text/plain\r\n\r\n" + b"x" * 600_000)
        status, envelope = await line.answer()
    assert (status, envelope["error"]) == (422, "bad_multipart")
    await door.activity.over.wait()
    assert list(uploads.iterdir()) == []


async def test_without_a_token_nothing_comes_in(client, door, uploads):
    refusal = await client.refusal("PUT", CHUNK, b"x" * 600_000, token="wrong-token-0123456789")
    assert refusal[:2] == (401, "not_signed_in")
    assert list(uploads.iterdir()) == []
    assert door.here.lab.compute.seen == []


async def test_without_a_lab_nothing_comes_in(client, door, uploads):
    door.refusal = Unavailable("The lab is starting.", code="lab_starting")
    assert await client.refusal("PUT", CHUNK, b"x" * 600_000) == (503, "lab_starting", "The lab is starting.")
    assert list(uploads.iterdir()) == []
    assert door.activity.open == 0
