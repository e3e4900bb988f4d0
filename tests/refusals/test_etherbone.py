"""Etherbone in a lab that several people share: through the holder's own tunnel, and not otherwise."""

import json
import struct
from collections.abc import Callable

import pytest
from tornado.httpclient import HTTPClientError

from .conftest import Held, Lab, Person, Refusal

pytestmark = pytest.mark.usefixtures("unharmed")

HEAD = bytes.fromhex("4e6f1044 00000000 000f")
NOTHING = "Nothing was sent to the board: "
BAD = "The Etherbone packet can't be understood: "


def read(*addresses: int) -> bytes:
    return HEAD + struct.pack(f">BB{1 + len(addresses)}I", 0, len(addresses), 0, *addresses)


def write(address: int, *words: int) -> bytes:
    return HEAD + struct.pack(f">BB{1 + len(words)}I", len(words), 0, address, *words)


async def refused(person: Person, path: str) -> Refusal:
    with pytest.raises(HTTPClientError) as caught:
        async with person.socket(path):
            pass
    assert caught.value.response is not None
    envelope = json.loads(caught.value.response.body)
    return caught.value.code, envelope["error"], envelope["message"]


def test_the_lab_opens_no_port(ada: Person, grace: Person, nobody: Person, held: Held) -> None:
    path = f"/fpga/{held.fpga_id}/session/etherbone"
    assert ada.refusal("POST", path) == (
        403,
        "etherbone_not_shared",
        f"Several people share this lab, so it opens no port of its machine to board {held.fpga_id}. Open one on your "
        f"own machine: jupyter fpga etherbone {held.fpga_id}",
    )
    assert grace.refusal("POST", path)[:2] == (403, "not_session_holder")
    assert nobody.refusal("POST", path)[:2] == (401, "not_signed_in")


async def test_the_tunnel_is_the_holders_alone(lab: Lab, ada: Person, held: Held) -> None:
    path = f"/fpga/{held.fpga_id}/session/etherbone"
    assert ada.ask("POST", f"/fpga/{held.fpga_id}/session/observers", {"allowed": True})[0] == 200
    assert (await refused(lab.people["nobody"], path))[:2] == (401, "not_signed_in")
    for name in ("grace", "olga"):
        assert await refused(lab.people[name], path) == (
            403,
            "not_session_holder",
            f"Board {held.fpga_id} is held by somebody else. Submit your design to get a board of your own.",
        )
    assert ada.ask("POST", f"/fpga/{held.fpga_id}/session/observers", {"allowed": False})[0] == 200
    free = 1 - held.fpga_id
    assert (await refused(ada, f"/fpga/{free}/session/etherbone"))[:2] == (409, "fpga_not_reserved")
    assert (await refused(ada, "/fpga/99/session/etherbone"))[:2] == (404, "fpga_not_found")
    assert (await refused(ada, path + "?design=another"))[:2] == (409, "design_replaced")


@pytest.mark.parametrize(
    ("packet", "code", "message"),
    [
        (b"", "packet_invalid", BAD + "it has 0 bytes, and its header alone takes 8."),
        (b"\xff" * 4096, "packet_invalid", BAD + "it begins with ff ff, and Etherbone begins with 4e 6f."),
        (
            read(0x3000_0000) * 2,
            "packet_invalid",
            BAD + "its record has 0 writes and 1 reads, which makes 20 bytes; it has 40.",
        ),
        (
            write(0xF000_0000, 1),
            "run_rejected",
            NOTHING + "the register at 0xf0000000 can't be written so: 0x1 would restart the whole SoC, and the lab's "
            "link with it; program the design again.",
        ),
        (
            read(0x3000_0001),
            "misaligned",
            "The address 0x30000001 is misaligned; the bus is addressed by words of 4 bytes, and the word that holds "
            "it is at 0x30000000.",
        ),
    ],
)
async def test_a_packet_that_can_not_be(
    ada: Person, held: Held, still_answers: Callable[[], None], packet: bytes, code: str, message: str
) -> None:
    async with ada.socket(f"/fpga/{held.fpga_id}/session/etherbone") as socket:
        await socket.write_message(read(0x3000_0000), binary=True)
        assert await socket.read_message() == HEAD[:8] + bytes((0, 15, 1, 0)) + bytes(8)
        await socket.write_message(packet, binary=True)
        told = json.loads(await socket.read_message())
        assert (told["error"], told["message"]) == (code, message)
        assert await socket.read_message() is None
        assert socket.close_code == 4422
    still_answers()


async def test_a_flood_of_packets(ada: Person, held: Held, still_answers: Callable[[], None]) -> None:
    """More than any board can answer, from somebody who reads nothing: the lab takes no more than it can do."""
    async with ada.socket(f"/fpga/{held.fpga_id}/session/etherbone") as socket:
        for _ in range(2000):
            # Not awaited: tornado's client would wait for the lab to take them.
            socket.write_message(read(*[0x3000_0000] * 255), binary=True)
    still_answers()
