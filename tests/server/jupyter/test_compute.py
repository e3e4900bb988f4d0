"""The compute floor inside a Jupyter server: every method gets through, and what counts as this machine."""

import hashlib
import json
from pathlib import Path

import pytest

from .test_jupyter import cookies_of_a_page

CONTENT = b"content" * 100_000
HASH = hashlib.sha256(CONTENT).hexdigest()


class Floor:
    """Writes down what it is asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[tuple] = []

    def ready(self):
        return {"ok": False, "reason": "It isn't well."}

    async def put_chunk(self, person, hash, path):
        self.calls.append(("put_chunk", hash, path.read_bytes()))
        path.rename(self.folder / hash)

    async def chunk(self, person, hash):
        path = self.folder / hash
        return path, path.stat().st_size

    async def create_queue(self, person, config, *, remote):
        self.calls.append(("create_queue", config, remote))
        return 7

    async def submit(self, person, action, *, queue, worker):
        self.calls.append(("submit", action, queue, worker))
        return {"lsn": 5, "action": HASH}


@pytest.fixture
def floor(door, tmp_path) -> Floor:
    door.here.lab.compute = Floor(tmp_path)
    return door.here.lab.compute


async def test_chunks(server, floor):
    path = f"/compute/chunks/{HASH}"
    assert (await server.ask("PUT", path, CONTENT)).code == 204
    assert floor.calls == [("put_chunk", HASH, CONTENT)]
    assert (await server.ask("GET", path)).body == CONTENT
    response = await server.ask("HEAD", path)
    assert (response.code, response.headers["Content-Length"], response.body) == (200, str(len(CONTENT)), b"")


@pytest.mark.parametrize("token", ["", "wrong"])
async def test_nothing_comes_in_without_a_token(server, floor, tmp_path, token):
    before = sorted(tmp_path.iterdir())
    refusal = await server.refusal("PUT", f"/compute/chunks/{HASH}", CONTENT, token=token)
    assert refusal[:2] == (401, "not_signed_in")
    refusal = await server.refusal("POST", "/compute/jobs", b" " * 2_000_000, token=token)
    assert refusal[:2] == (401, "not_signed_in")
    assert floor.calls == []
    assert sorted(tmp_path.iterdir()) == before


async def test_a_page_needs_its_xsrf_token_to_send(server, floor, jp_base_url):
    login, xsrf = await cookies_of_a_page(server, jp_base_url)
    path, headers = f"/compute/chunks/{HASH}", {"Cookie": f"{login}; _xsrf={xsrf}"}
    assert (await server.refusal("PUT", path, CONTENT, token="", headers=headers))[:2] == (403, "forbidden")
    assert floor.calls == []
    response = await server.ask("PUT", path, CONTENT, token="", headers={**headers, "X-XSRFToken": xsrf})
    assert response.code == 204


async def test_a_package(server, floor):
    body = b"--e\r\n\r\n{}\r\n--e\r\nX-Chunk-Hash: " + HASH.encode() + b"\r\n\r\n" + CONTENT + b"\r\n--e--"
    response = await server.ask("POST", "/compute/jobs", body, headers={"Content-Type": "multipart/mixed; boundary=e"})
    assert (response.code, json.loads(response.body)) == (202, {"lsn": 5, "action": HASH})
    assert floor.calls == [("put_chunk", HASH, CONTENT), ("submit", {}, None, None)]


async def test_too_much_json(server, floor):
    refusal = await server.refusal("POST", "/compute/jobs", b" " * 10_000_000)
    assert refusal == (
        413,
        "body_too_large",
        "The body may have 1048576 bytes here, and this one has 10000000; split the request into smaller ones.",
    )


async def test_what_comes_through_a_hub_is_not_this_machine(server, floor):
    assert (await server.ask("POST", "/compute/queues")).code == 201
    for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-Proto": "https"}, {"X-Real-IP": "127.0.0.1"}):
        refusal = await server.refusal("POST", "/compute/queues", {}, headers=headers)
        assert refusal[:2] == (403, "queue_local_only")
        assert (await server.ask("POST", "/compute/queues/remote", {}, headers=headers)).code == 201
    assert floor.calls == [("create_queue", {}, False), *[("create_queue", {}, True)] * 3]


async def test_a_floor_that_is_not_ready(server, floor):
    response = await server.ask("GET", "/compute/ready", token="")
    assert (response.code, json.loads(response.body)) == (503, {"ok": False, "reason": "It isn't well."})
