"""The compute floor through another server: contents of any size, and what counts as this machine."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from jupyter_fpga.people import Person
from jupyter_fpga.server.auth import TokenAuthenticator
from jupyter_fpga.server.door import Activity, Here, There
from jupyter_fpga.server.forward import Remote
from jupyter_fpga.server.hosting import FixedDoor
from jupyter_fpga.server.queue_tokens import QueueTokens
from jupyter_fpga.server.standalone import listen, make_application

from .conftest import KEYS, MIXED, hashing, noop, package, sha256
from .test_queues import LOCAL_ONLY

TOKEN = "token-of-the-second-server"


class OwnDoor:
    """As the door of a second server of Ada's on the lab's machine."""

    def __init__(self, there: There) -> None:
        self.activity = Activity()
        self.place: There | Here = there

    async def reach(self) -> There | Here:
        return self.place

    def lost(self, there: There) -> None:
        raise AssertionError("the lab is there")


@asynccontextmanager
async def serving(door: Any, new_client: Any) -> AsyncIterator[Any]:
    application = make_application(door, TokenAuthenticator(Person("ada"), TOKEN), base="/second")
    server, port = listen(application, 0)
    client = new_client(f"http://127.0.0.1:{port}/second", TOKEN)
    try:
        yield client
    finally:
        await client.close()
        server.stop()
        await server.close_all_connections()


@pytest.fixture
async def second(place, people, new_client):
    """A client of a second server; it can do what Ada can."""
    async with serving(OwnDoor(There(Remote(place.url, KEYS["ada"]), own=True)), new_client) as client:
        people["second"] = client
        yield client


async def test_chunks_go_through_and_come_back(people, second):
    content = os.urandom(3_000_000)
    hash = await people.put("second", content)
    for name in ("ada", "second"):
        response = await people[name].ask("GET", f"/compute/chunks/{hash}")
        assert (response.body, response.headers["Content-Length"]) == (content, "3000000")
        response = await people[name].ask("HEAD", f"/compute/chunks/{hash}")
        assert (response.code, response.headers["Content-Length"]) == (200, "3000000")
    assert (await second.ask("HEAD", f"/compute/chunks/{'0' * 64}")).code == 404
    refusal = await second.refusal("PUT", f"/compute/chunks/{'0' * 64}", content)
    assert refusal[:2] == (422, "chunk_mismatch")


async def test_packages_and_long_polls_go_through(people, second):
    content = os.urandom(1_000_000)
    body = package(hashing(content), content)
    lsn = (await people.post("second", "/compute/jobs", body, headers=MIXED))["lsn"]
    assert (await people.end("second", lsn))["result"]["value"] == {"a": sha256(content)}
    assert (await second.ask("DELETE", f"/compute/jobs/{lsn}")).code == 204
    response = await second.ask("GET", "/compute/jobs?limit=1")
    assert response.headers["Link"].startswith("<?limit=1&before=")
    assert (await second.refusal("POST", "/compute/jobs", body[:-20], headers=MIXED))[:2] == (422, "bad_multipart")


async def test_two_servers_of_one_person_are_one_machine(people, second):
    queue = (await people.post("second", "/compute/queues", {}, 201))["queue_id"]
    path = f"/compute/queues/{queue}"
    await people.post("second", f"{path}/jobs", noop())
    assert (await people["ada"].get(path))["owner"] == "ada"
    for headers in ({"X-Forwarded-For": "127.0.0.1"}, {"Forwarded": "for=a"}, {"Host": "hub.example.org"}):
        assert await second.refusal("GET", path, headers=headers) == LOCAL_ONLY


async def test_a_classs_lab_is_another_machine_wherever_it_is(place, people, new_client):
    async with serving(FixedDoor(Remote(place.url, KEYS["ada"])), new_client) as client:
        assert await client.refusal("POST", "/compute/queues", {}) == LOCAL_ONLY
        people["class"] = client
        token = (await people.post("class", "/compute/queues/remote", {}, 201))["queue_token"]
        assert (await client.get(f"/compute/queues/{token}"))["state"] == "active"


async def test_a_package_that_comes_while_the_lab_moves_here(place, people, new_client, tmp_path):
    """Received for the other process, and unpacked here: the server took over meanwhile."""
    seen = []

    class Floor:
        async def put_chunk(self, person, hash, path):
            seen.append((hash, path.read_bytes(), path.parent))

        async def submit(self, person, action, *, queue, worker):
            seen.append(action)
            return {"lsn": 1, "action": "0" * 64}

    class Lab:
        compute = Floor()
        fpga = None

    class Moving(OwnDoor):
        async def reach(self):
            place, self.place = self.place, Here(Lab(), tmp_path, QueueTokens(b"secret"))
            return place

    async with serving(Moving(There(Remote(place.url, KEYS["ada"]))), new_client) as people["moving"]:
        action, content = noop(), os.urandom(300_000)
        answer = await people.post("moving", "/compute/jobs", package(action, content), headers=MIXED)
        assert answer["lsn"] == 1
    assert seen == [(sha256(content), content, tmp_path), action]
