"""Etherbone to a held board: who may, in which order, and how it ends."""

import asyncio
import struct
from typing import Any

import pytest

from jupyter_fpga.compute.builds.design import Source
from jupyter_fpga.errors import Conflict, Forbidden, LabError
from jupyter_fpga.etherbone import PROBE_ANSWER, encode_answer
from jupyter_fpga.fpga.wishbone import LinkBusy, Operation

WINDOW = 0x3000_0000
SCRATCH = 0xF000_0000
HEAD = bytes.fromhex("4e6f1044 00000000 000f")
ENDED = "The session on board 0 has ended. Submit your design again to get a board."


def read(*addresses: int) -> bytes:
    return HEAD + struct.pack(f">BB{1 + len(addresses)}I", 0, len(addresses), 0x77, *addresses)


def write(address: int, *words: int) -> bytes:
    return HEAD + struct.pack(f">BB{1 + len(words)}I", len(words), 0, address, *words)


async def refused(kind: type[LabError], code: str, message: str, work: Any) -> None:
    with pytest.raises(kind) as caught:
        await work
    assert (caught.value.code, caught.value.message) == (code, message)


async def test_packets_are_taken_without_waiting_and_answered_in_order(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    path = await lab.fpga.etherbone(ann, 0)
    answers = []
    for value in range(50):
        answers += [await path.submit(write(WINDOW, value, 7)), await path.submit(read(WINDOW + 4, WINDOW))]
    assert [await answer for answer in answers] == [
        data for value in range(50) for data in (b"", encode_answer([7, value], 0x77))
    ]
    assert await (await path.submit(bytes.fromhex("4e6f1144 00000000"))) == PROBE_ANSWER
    assert await (await path.submit(HEAD + bytes(2))) == b""
    # Both registers at once, and what the lab counts.
    assert await (await path.submit(read(WINDOW, WINDOW + 4, SCRATCH))) == encode_answer([49, 7, 0], 0x77)
    assert lab.links[-1].log[-2:] == [Operation.read(WINDOW, 2), Operation.read(SCRATCH)]
    counts = lab.fpga._floor.counts
    assert (counts.stream_frames["ann"], counts.stream_words["ann"]) == (101, 203)
    await path.close()
    assert await path.wait_over() == ENDED
    assert lab.fpga._floor.pool[0].streams == set()


async def test_only_the_holder_and_only_reserved(lab: Any, people: Any) -> None:
    ann, ben, operator = people
    for opened in (lab.fpga.etherbone, lab.fpga.etherbone_port):
        with pytest.raises(Conflict) as caught:
            await opened(ann, 0)
        assert caught.value.code == "fpga_not_reserved"
    await lab.reserved()
    await lab.fpga.allow_observers(ann, 0, True)
    for opened in (lab.fpga.etherbone, lab.fpga.etherbone_port):
        for person in (ben, operator):
            await refused(
                Forbidden,
                "not_session_holder",
                "Board 0 is held by somebody else. Submit your design to get a board of your own.",
                opened(person, 0),
            )
        with pytest.raises(Conflict) as caught:
            await opened(ann, 0, design="another")
        assert caught.value.code == "design_replaced"


async def test_the_first_failure_is_the_end(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    path = await lab.fpga.etherbone(ann, 0)
    failure = Conflict("Nobody answered.", code="bus_error")
    lab.links[-1].hold = asyncio.Event()
    lab.links[-1].error = lambda _, operation, __: failure if operation.words == (2,) else None
    answers = [await path.submit(write(WINDOW, value)) for value in (1, 2, 3, 4)]
    lab.links[-1].hold.set()
    done = await asyncio.gather(*answers, return_exceptions=True)
    assert (done[0], done[1]) == (b"", failure)
    assert all(isinstance(end, asyncio.CancelledError) for end in done[2:])
    assert [operation.words for operation in lab.links[-1].log] == [(1,)]
    assert (path.closed, path.error, await path.wait_over()) == ("failed", failure, "Nobody answered.")
    await refused(Conflict, "bus_error", "Nobody answered.", path.submit(read(WINDOW)))
    await path.close()


async def test_what_can_not_be_done_is_a_failure_and_nothing_is_sent(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    for packet, code in ((b"GET / HTTP/1.1", "packet_invalid"), (read(WINDOW, 0), "run_rejected")):
        path = await lab.fpga.etherbone(ann, 0)
        with pytest.raises(LabError) as caught:
            await (await path.submit(packet))
        assert caught.value.code == code
        assert path.error is caught.value
    assert lab.links[-1].log == []


@pytest.mark.parametrize("how", ["release", "expiry", "kick", "loss", "reset"])
async def test_paths_and_the_port_end_with_the_session(lab: Any, people: Any, how: str) -> None:
    ann, _, operator = people
    await lab.reserved()
    path = await lab.fpga.etherbone(ann, 0)
    port = await lab.fpga.etherbone_port(ann, 0)
    reader, writer = await asyncio.open_connection(port["host"], port["port"])
    await reader.read(128)
    if how == "release":
        await lab.fpga.release(ann, 0)
    elif how == "expiry":
        lab.clock.advance(3600)
    elif how == "kick":
        await lab.fpga.kick(operator, 0)
    elif how == "reset":
        await lab.fpga.reset(ann, 0)
    else:
        lab.driver.kill(max(lab.driver.running))
    assert await path.wait_over() == ENDED
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(port["host"], port["port"])
    await lab.state(0, "idle")
    # The next session has a port of its own.
    await lab.reserved()
    reader, writer = await asyncio.open_connection(*(await lab.fpga.etherbone_port(ann, 0)).values())
    assert await reader.read(128)
    writer.close()


async def test_the_port_is_the_same_while_the_session_lives(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    first, second = await asyncio.gather(lab.fpga.etherbone_port(ann, 0), lab.fpga.etherbone_port(ann, 0))
    assert first == second == await lab.fpga.etherbone_port(ann, 0)
    assert first["host"] == "127.0.0.1"
    connections = [await asyncio.open_connection(*first.values()) for _ in range(3)]
    for index, (reader, writer) in enumerate(connections):
        assert await reader.read(128) == f"jupyter_fpga:127.0.0.1:{first['port']}".encode()
        writer.write(write(WINDOW + 4 * index, index) + read(WINDOW + 4 * index))
    for index, (reader, writer) in enumerate(connections):
        assert await reader.readexactly(20) == encode_answer([index], 0x77)
        writer.close()


async def test_a_lab_that_is_shared_opens_no_port(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await make_lab(several_users=True).start()
    await lab.all_idle()
    await lab.reserved()
    await refused(
        Forbidden,
        "etherbone_not_shared",
        "Several people share this lab, so it opens no port of its machine to board 0. Open one on your own machine: "
        "jupyter fpga etherbone 0",
        lab.fpga.etherbone_port(ann, 0),
    )
    path = await lab.fpga.etherbone(ann, 0)
    assert await (await path.submit(read(WINDOW))) == encode_answer([0], 0x77)
    await path.close()
    await lab.stop()


async def test_another_design_ends_what_has_talked_to_the_old_one(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    port = await lab.fpga.etherbone_port(ann, 0)
    used, quiet = await lab.fpga.etherbone(ann, 0), await lab.fpga.etherbone(ann, 0)
    await (await used.submit(read(WINDOW)))
    # The same design once more is no other.
    await lab.reserved()
    assert await (await used.submit(read(WINDOW))) == encode_answer([0], 0x77)
    await lab.reserved(source=Source({"next.py": b"class Next: ..."}, "next.py"))
    assert (used.closed, quiet.closed) == ("design_replaced", None)
    assert await used.wait_over() == (
        "Board 0 no longer runs the design that was asked for: its holder has programmed another. Nothing was "
        "read or written. Ask for the manifest of the job that programmed it last, or submit your design again."
    )
    assert await (await quiet.submit(read(WINDOW))) == encode_answer([0], 0x77)
    assert await lab.fpga.etherbone_port(ann, 0) == port


async def test_while_the_next_design_is_programmed_nothing_is_answered(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    path = await lab.fpga.etherbone(ann, 0)
    lab.driver.hold = asyncio.Event()
    job = await lab.submit(text="class Next: ...", fpga_id=0)
    await lab.driver.holding.wait()
    with pytest.raises(Conflict) as caught:
        await (await path.submit(read(WINDOW)))
    assert (caught.value.code, path.closed) == ("fpga_not_reserved", "failed")
    lab.driver.hold.set()
    await lab.ended(job["job_id"])


async def test_a_link_that_is_held_exclusively_ends_the_path(lab: Any, people: Any) -> None:
    ann, _, _ = people
    await lab.reserved()
    path = await lab.fpga.etherbone(ann, 0)
    lab.links[-1].error = lambda *_: LinkBusy("a capture")
    with pytest.raises(LinkBusy):
        await (await path.submit(read(WINDOW)))
    assert path.closed == "link_busy"


async def test_all_end_with_the_lab(make_lab: Any, people: Any) -> None:
    lab = await make_lab().start()
    await lab.all_idle()
    await lab.reserved()
    path = await lab.fpga.etherbone(people[0], 0)
    port = await lab.fpga.etherbone_port(people[0], 0)
    reader, writer = await asyncio.open_connection(*port.values())
    await reader.read(128)
    await lab.stop()
    assert await path.wait_over() == "The lab is shutting down and takes nothing new. Try again when it runs again."
    with pytest.raises(ConnectionResetError):
        await reader.readexactly(1)
    writer.close()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*port.values())


async def test_packets_count_to_the_owners_rate(make_lab: Any, people: Any) -> None:
    ann, _, _ = people
    lab = await make_lab(stream_frames_per_second=10.0, stream_burst=2).start()
    await lab.all_idle()
    await lab.reserved()
    path, stream = await lab.fpga.etherbone(ann, 0), await lab.fpga.open_stream(ann, 0)
    for _ in range(2):
        await (await path.submit(read(WINDOW)))
    third = asyncio.create_task(path.submit(read(WINDOW)))
    await asyncio.sleep(0)
    assert not third.done()
    lab.clock.advance(0.1)
    assert await (await third) == encode_answer([0], 0x77)
    await path.close()
    await stream.close()
    await lab.stop()
