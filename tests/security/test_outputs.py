"""What a program leaves as its output is a plain file of its own, or isn't read."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from jupyter_fpga.compute.sandbox import BadOutput
from jupyter_fpga.compute.sandbox.workfolder import collect

from .conftest import Prey

OUTPUTS = ["out", "made/"]
NOT_PLAIN = "The program left {} as something else than a plain file; it was not read."
TOO_MUCH = "The program's outputs are larger than 16 MiB or more than 1000 files; they were not read."

REFUSED = {
    "symlink": NOT_PLAIN.format("out"),
    "symlink to itself": NOT_PLAIN.format("out"),
    "symlink to a device": NOT_PLAIN.format("out"),
    "hard link": NOT_PLAIN.format("out"),
    "fifo": NOT_PLAIN.format("out"),
    "folder": NOT_PLAIN.format("out"),
    "linked folder": NOT_PLAIN.format("made"),
    "link in a folder": NOT_PLAIN.format("made/out"),
    "fifo in a folder": NOT_PLAIN.format("made/out"),
}


@pytest.mark.parametrize("kind", REFUSED)
async def test_what_is_no_plain_file_is_refused(prey: Prey, kind: str, tmp_path: Path) -> None:
    with pytest.raises(BadOutput) as caught:
        await prey.attack("outputs.py", kind, outputs=OUTPUTS, into=tmp_path / "into")
    assert (caught.value.code, caught.value.message) == ("bad_output", REFUSED[kind])
    assert not list((tmp_path / "into").rglob("*"))


async def test_devices_and_sockets_are_not_made(prey: Prey, tmp_path: Path) -> None:
    finished = await prey.attack("outputs.py", "device", outputs=OUTPUTS, into=tmp_path / "into")
    # A character and a block device.
    told = "Operation not permitted" if prey.sandbox.tier == "full" else "Permission denied"
    assert (finished.output_tail.splitlines(), finished.outputs) == ([told, told], {})
    finished = await prey.attack("outputs.py", "socket", outputs=OUTPUTS, into=tmp_path / "into")
    assert finished.output_tail.endswith("PermissionError: [Errno 13] Permission denied")
    assert finished.outputs == {}


async def test_too_much_is_not_taken(prey: Prey, tmp_path: Path) -> None:
    with pytest.raises(BadOutput) as caught:
        await prey.attack("outputs.py", "large", outputs=["out", "made"], into=tmp_path / "into")
    assert caught.value.message == TOO_MUCH


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "secret").write_text("hunter2")
    return folder


@contextmanager
def opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("name", ["../secret", "sub/../../secret", ".."])
def test_names_do_not_lead_out(folder: Path, name: str) -> None:
    (folder / "sub").mkdir()
    with opened(folder) as work, pytest.raises(BadOutput) as caught:
        collect(work, [name], folder.parent / "into", max_bytes=1 << 20)
    assert caught.value.message == f"{name} is not in the work folder; it was not read."


def test_a_device_is_not_read(folder: Path) -> None:
    """Nobody in a sandbox can make one; a folder that is one's own may have been on another machine."""
    with opened(Path("/dev")) as work, pytest.raises(BadOutput) as caught:
        collect(work, ["zero"], folder.parent / "into", max_bytes=1 << 20)
    assert caught.value.message == NOT_PLAIN.format("zero")


@pytest.mark.parametrize("swap", ["link", "fifo", "folder on the way", "growing"])
def test_swapped_while_it_is_collected(folder: Path, swap: str) -> None:
    """A file and something worse take turns under its name: what is taken is the file, or nothing."""
    right, wrong, name = folder / "right", folder / "wrong", folder / "made"
    outside = folder.parent / "secret"
    right.mkdir()
    (right / "out").write_text("mine")
    if swap == "folder on the way":
        (folder.parent / "elsewhere").mkdir()
        (folder.parent / "elsewhere" / "out").write_text("hunter2")
        wrong.symlink_to(folder.parent / "elsewhere")
    else:
        wrong.mkdir()
        {
            "link": lambda: (wrong / "out").symlink_to(outside),
            "fifo": lambda: os.mkfifo(wrong / "out"),
            "growing": lambda: (wrong / "out").write_text("mine" * 1_000_000),
        }[swap]()
    stop = threading.Event()

    def take_turns() -> None:
        while not stop.is_set():
            for place in (right, wrong):
                os.rename(place, name)
                os.rename(name, place)

    turns = threading.Thread(target=take_turns)
    turns.start()
    taken: set[str] = set()
    try:
        with opened(folder) as work:
            for number in count():
                if number > 500 and "mine" in taken:
                    break
                into = folder.parent / "into" / str(number)
                try:
                    for path in collect(work, ["made/out"], into, max_bytes=1 << 20).values():
                        taken.add(path.read_text())
                except BadOutput:
                    taken.add("")
    finally:
        stop.set()
        turns.join()
    assert taken <= {"mine", ""}
    assert "mine" in taken


def test_it_does_not_wait_for_a_fifo(folder: Path) -> None:
    os.mkfifo(folder / "out")
    with opened(folder) as work, pytest.raises(BadOutput):
        collect(work, ["out"], folder.parent / "into", max_bytes=1 << 20)
