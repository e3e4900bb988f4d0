"""What goes between the lab and a runner process."""

import asyncio
import json
import socket
import struct
from pathlib import Path
from typing import Any

import pytest

from jupyter_fpga.compute.runners import RunnerVanished, Task
from jupyter_fpga.compute.runners.messages import (
    error_from,
    error_to,
    finished_from,
    finished_to,
    sandbox_from,
    sandbox_to,
    task_from,
    task_to,
)
from jupyter_fpga.compute.runners.wire import MOST_BYTES, Wire
from jupyter_fpga.compute.sandbox import BadOutput, Finished, Limits, Mount, Sandbox, SandboxError
from jupyter_fpga.errors import LabError, TooLarge

TASK = Task(
    token="12:3",
    command=("/bin/sh", "-c", "true"),
    limits=Limits(wall_seconds=float("inf"), files=3),
    inputs={"a": b"\x00\xff", "b/c": Path("/somewhere/c"), "empty": b""},
    outputs=("*", "d/"),
    required=("e",),
    scrap=("f",),
    results="outputs/",
    mounts=(Mount(Path("/tools"), "/usr/tools"), Mount(Path("/out"), "/out", writable=True)),
    environment={"CXX": "c++ é"},
    warm="amaranth",
)
FINISHED = Finished(137, "some\nlines", "memory", 1.5, 0.25, 1 << 40, {"a\udcff": Path("/into/a\udcff")})


def through(data: dict[str, Any]) -> Any:
    return json.loads(json.dumps(data))


def test_tasks_and_results_arrive_as_they_were(sandbox: Sandbox) -> None:
    assert task_from(through(task_to(TASK))) == TASK
    assert finished_from(through(finished_to(FINISHED))) == FINISHED
    assert sandbox_from(through(sandbox_to(sandbox))) == sandbox


@pytest.mark.parametrize("kind", [SandboxError, BadOutput, RunnerVanished])
def test_errors_arrive_as_they_were(kind: type[LabError]) -> None:
    error = error_from(through(error_to(kind("A sentence.", code="a_code", detail={"limit": 1}))))
    assert isinstance(error, LabError)
    assert type(error) is kind
    assert error.as_dict() == {"error": "a_code", "message": "A sentence.", "detail": {"limit": 1}}


def test_other_errors() -> None:
    error = error_from(through(error_to(TooLarge("A sentence."))))
    assert isinstance(error, LabError)
    assert (type(error), error.code) == (LabError, "too_large")
    assert type(error_from(through(error_to(FileNotFoundError(2, "No such file"))))) is FileNotFoundError


class Ends:
    """Two ends of a connection, one of them a wire's."""

    def __init__(self) -> None:
        self.other, end = socket.socketpair()
        self.heard: list[dict[str, Any]] = []
        self.changed = asyncio.Event()
        self.closed = asyncio.Event()
        self.wire = Wire(end, self._hear, self.closed.set)

    def _hear(self, message: dict[str, Any]) -> None:
        self.heard.append(message)
        self.changed.set()


@pytest.fixture
async def ends() -> Any:
    ends = Ends()
    yield ends
    ends.wire.close()
    ends.other.close()


def frame(message: Any) -> bytes:
    text = json.dumps(message).encode()
    return struct.pack(">I", len(text)) + text


async def test_messages_in_pieces_and_together(ends: Ends) -> None:
    stream = frame({"one": 1}) + frame({"two": "é" * 1000}) + frame({"three": None})
    for start in range(0, len(stream), 7):
        ends.other.send(stream[start : start + 7])
        ends.wire.drain()
    assert ends.heard == [{"one": 1}, {"two": "é" * 1000}, {"three": None}]


async def test_a_message_that_is_larger_than_the_socket_has_room_for(ends: Ends) -> None:
    other: list[dict[str, Any]] = []
    there = asyncio.Event()

    def hear(message: dict[str, Any]) -> None:
        other.append(message)
        there.set()

    ends.wire.send({"large": "x" * 5_000_000})
    reader = Wire(ends.other, hear, there.set)
    await there.wait()
    assert other == [{"large": "x" * 5_000_000}]
    reader.close()


@pytest.mark.parametrize("nonsense", [struct.pack(">I", MOST_BYTES + 1), struct.pack(">I", 3) + b"{x}"])
async def test_what_is_no_message_closes_the_connection(ends: Ends, nonsense: bytes) -> None:
    ends.other.send(frame({"one": 1}) + nonsense)
    await ends.closed.wait()
    assert ends.heard == [{"one": 1}]
    ends.wire.send({"nobody": "hears it"})


async def test_the_other_end_closes(ends: Ends) -> None:
    ends.other.close()
    ends.wire.send({"large": "x" * 5_000_000})
    await ends.closed.wait()
    assert ends.heard == []
