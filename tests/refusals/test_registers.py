"""Reads and writes that can't be right: refused with the nearest register, and nothing reaches the bus."""

from collections.abc import Callable
from typing import Any

import pytest

from .conftest import Held, Lab, Person

NOTHING = "Nothing was sent to the board: "
READ = {"op": "read", "address": 0}

REJECTED: list[tuple[dict[str, Any], str]] = [
    (
        {"op": 2, "address": 2},
        "the address 0x2 is misaligned; it must be a multiple of 4. The nearest register is 'duty' at 0x0.",
    ),
    (
        {"op": 2, "address": 12},
        "the address 0xc is outside the design's window of 0xc bytes. The nearest register is 'twice' at 0x8.",
    ),
    (
        {"op": 2, "address": -4},
        "the address -0x4 is outside the design's window of 0xc bytes. The nearest register is 'duty' at 0x0.",
    ),
    (
        {"op": 2, "address": 1 << 200},
        "the address 0x100000000000000000…00000000 is outside the design's window of 0xc bytes. The nearest register "
        "is 'twice' at 0x8.",
    ),
    (
        {"op": 2, "address": 8, "count": 2},
        "the access reaches the address 0xc, which is outside the design's window of 0xc bytes. The nearest register "
        "is 'twice' at 0x8.",
    ),
    ({"op": 2, "address": 0, "count": 0}, "the access is to 0 words; one transaction moves 1 to 65536."),
    ({"op": 2, "address": 0, "count": 65_537}, "the access is to 65537 words; one transaction moves 1 to 65536."),
    ({"op": 1, "address": 0, "data": [256]}, "the value 0x100 doesn't fit 'duty', which has 8 bits at 0x0."),
    (
        {"op": 1, "address": 0, "data": [-1]},
        "the value -1 is negative; by address, data are unsigned 32-bit words. Write signed values by name: 'duty' is "
        "at 0x0.",
    ),
    ({"op": 1, "address": 0}, "a write needs data; give at least one value."),
    ({"op": 2, "address": 0, "data": [1]}, "a read has no data; leave it out, or make it a write."),
    (
        {"op": 1, "address": 4, "data": [1]},
        "the address 0x4 belongs to 'led', which can only be read. The nearest register that can be written is 'duty' "
        "at 0x0.",
    ),
    (
        {"op": 1, "address": 0, "data": [1, 1]},
        "the address 0x4 belongs to 'led', which can only be read. The nearest register that can be written is 'duty' "
        "at 0x0.",
    ),
    ({"op": "read", "register": "dutty"}, "the design has no register 'dutty'; the nearest is 'duty'."),
    ({"op": "read", "register": "voltage"}, "the design has no register 'voltage'; it has duty, led, twice."),
    ({"op": "read", "register": "duty.low"}, "the design has no register 'duty.low'; the nearest is 'duty'."),
    ({"op": "read", "register": "duty[0]"}, "'duty' is one register, not an array; leave the index out."),
    ({"op": "read", "register": "duty", "count": 2}, "the access is to 2 values; 'duty' takes 1 value at a time."),
    (
        {"op": "write", "register": "duty", "data": [256]},
        "the value 256 doesn't fit 'duty', which has 8 bits (0 to 255).",
    ),
    (
        {"op": "write", "register": "duty", "data": [-1]},
        "the value -1 doesn't fit 'duty', which has 8 bits (0 to 255).",
    ),
    (
        {"op": "write", "register": "duty", "data": ["FAST"]},
        "the value 'FAST' is a text, and 'duty' takes whole numbers.",
    ),
    (
        {"op": "write", "address": 0, "data": ["FAST"]},
        "the value 'FAST' is not a whole number; by address, data are unsigned 32-bit words.",
    ),
    (
        {"op": "write", "register": "twice", "data": [1]},
        "'twice' can only be read. The nearest register that can be written is 'duty' at 0x0.",
    ),
    ({"op": "read"}, "the transaction has neither address nor register; give one of them."),
    (
        {"op": "read", "address": 0, "register": "duty"},
        "the transaction has both address and register; give one of them.",
    ),
    (
        {"transactions": [{"op": 1, "address": 0, "data": [1]}, {"op": 2, "address": 6}]},
        "in transaction 1, the address 0x6 is misaligned; it must be a multiple of 4. The nearest register is 'led' at "
        "0x4.",
    ),
    (
        {"transactions": [{"op": 2, "address": 0, "count": 65_536, "fixed_address": True}] * 5},
        "the transactions move 327680 words, and one job moves at most 262144. Split them into several jobs.",
    ),
]


@pytest.mark.parametrize(("body", "message"), REJECTED, ids=range(len(REJECTED)))
def test_what_can_not_be_on_this_board(ada: Person, held: Held, body: dict[str, Any], message: str) -> None:
    assert ada.refusal("POST", f"/fpga/{held.fpga_id}/run", body) == (422, "run_rejected", NOTHING + message)


WRONG: list[tuple[Any, str]] = [
    (5, "The request must be a JSON object; got 5."),
    ({}, "`op` is missing; add it."),
    ({"op": 3, "address": 0}, "`op` must be 1, 2, 'write' or 'read'; got 3."),
    ({"op": 2, "address": "0"}, '`address` must be an integer; got "0".'),
    ({"op": 2, "address": 0.5}, "`address` must be an integer; got 0.5."),
    ({"op": 2, "address": True}, "`address` must be an integer; got true."),
    ({"op": 2, "adress": 0}, "`adress` is not a field that this request knows; remove it or check its spelling."),
    ({"op": 2, "register": 7}, "`register` must be a text; got 7."),
    ({"op": 2, "register": "r" * 501}, "`register` must have at most 500 characters; got 501."),
    ({"op": 1, "address": 0, "data": 1}, "`data` must be a list; got 1."),
    (
        {"op": 1, "address": 0, "data": [None]},
        "`data[0]` must be an integer, or a name of the register's enum; got null.",
    ),
    ({"op": 1, "address": 0, "data": [0] * 65_537}, "`data` must have at most 65536 entries; got 65537."),
    ({"op": 2, "address": 0, "fixed_address": "no"}, '`fixed_address` must be true or false; got "no".'),
    ({"transactions": []}, "`transactions` must have at least 1 entry; got 0."),
    ({"transactions": [READ] * 1025}, "`transactions` must have at most 1024 entries; got 1025."),
    ({"transactions": [READ, {"op": "erase"}]}, "`transactions[1].op` must be 1, 2, 'write' or 'read'; got \"erase\"."),
]


@pytest.mark.parametrize(("body", "message"), WRONG, ids=range(len(WRONG)))
def test_what_can_not_be_a_run(ada: Person, held: Held, body: Any, message: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert ada.refusal("POST", f"/fpga/{held.fpga_id}/run", body, headers=headers) == (422, "invalid_request", message)


def test_a_body_that_is_no_json(ada: Person, held: Held) -> None:
    for body, reason in (
        (b"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b'{"op": 2, "address": NaN}', "NaN is not a number in JSON"),
        (b"[" * 100_000, "nested deeper than 64"),
    ):
        assert ada.refusal("POST", f"/fpga/{held.fpga_id}/run", body) == (
            422,
            "not_json",
            f"The body isn't JSON ({reason}); send one JSON object.",
        )


def test_a_form_is_not_taken(ada: Person, held: Held) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=e"}
    assert ada.refusal("POST", f"/fpga/{held.fpga_id}/run", b"--e--\r\n", headers=headers) == (
        415,
        "unsupported_media_type",
        "This request's body is application/json; got multipart/form-data.",
    )


def test_a_board_without_a_design(ada: Person, held: Held) -> None:
    free = 1 - held.fpga_id
    assert ada.refusal("POST", f"/fpga/{free}/run", READ) == (
        409,
        "fpga_not_reserved",
        f"Board {free} can't be read or written now: it is free, with no design of yours on it (state 'idle'). Its "
        "registers answer once a design of yours is programmed (state 'reserved').",
    )


def test_none_of_it_was_written(still_answers: Callable[[], None]) -> None:
    still_answers()


NEVER = """\
module top(input clk, input rst, input wb_cyc, input wb_stb, input wb_we, input [3:0] wb_adr,
           input [31:0] wb_dat_w, input [3:0] wb_sel, output [31:0] wb_dat_r, output wb_ack);
  assign wb_ack = wb_cyc & wb_stb & wb_adr[0];
  assign wb_dat_r = {28'hABCDEF0, wb_adr};
endmodule
"""


def test_a_design_that_does_not_answer(lab: Lab, grace: Person) -> None:
    """The bus gives up, the job says what is done, and the board goes on."""
    board = grace.done(grace.accepted("/submit", {"source": NEVER, "filename": "never.v"}))["fpga_id"]
    reads = [{"op": 2, "address": 4}, {"op": 2, "address": 0}, {"op": 2, "address": 4}]
    job = grace.done(grace.accepted(f"/fpga/{board}/run", {"transactions": reads}))
    assert job["status"] == "failed"
    assert (job["error"]["code"], job["error"]["stage"], job["error"]["index"]) == ("bus_error", "on_bus", 1)
    assert job["error"]["reason"].startswith(
        "The read of address 0x30000000 (operation 1) was not answered on the bus: nothing is mapped there, or the "
        "design didn't acknowledge it in time."
    )
    assert job["error"]["results"] == [{"data": [0xABCDEF01]}]
    job = grace.done(grace.accepted(f"/fpga/{board}/run", reads[0]))
    assert grace.get(f"/jobs/{job['job_id']}/result")["data"] == [0xABCDEF01]
    assert grace.done(grace.accepted(f"/fpga/{board}/session/release"))["status"] == "complete"
    assert lab.people["olga"].get(f"/fpga/{board}")["state"] == "idle"
