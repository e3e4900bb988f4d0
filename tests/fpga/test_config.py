"""Boards on a desk as a configuration names them."""

import pytest

from jupyter_fpga.errors import Invalid
from jupyter_fpga.fpga.config import BoardConfig, Hardware, board_of_text, pool_of

KEYS = "target=…, serial=…, port=…, tty=…, tag=…, power_cycle=…, flash=…, sram=…, id=…"


def test_a_board_with_everything() -> None:
    text = (
        "target=icebreaker, serial=A1,port=1-2.3,tty=/dev/serial/by-id/x,tag=fast,tag=lab,flash=true,id=7,"
        "power_cycle='uhubctl -l 1-2,1-3 -a cycle'"
    )
    power = ("uhubctl", "-l", "1-2,1-3", "-a", "cycle")
    hardware = Hardware("A1", "1-2.3", "/dev/serial/by-id/x", power, True)
    assert board_of_text(text, 3) == BoardConfig(7, "icebreaker", "serial", ("fast", "lab"), hardware)


def test_a_board_with_nothing_but_a_target() -> None:
    assert board_of_text("target=ulx3s_85f", 3) == BoardConfig(3, "ulx3s_85f", "serial")


def test_a_board_that_is_a_process() -> None:
    assert board_of_text("target=simulated_ice40", 3) == BoardConfig(3, "simulated_ice40", "simulated")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("icebreaker", f"'icebreaker' is none of {KEYS}"),
        ("target=", f"'target=' is none of {KEYS}"),
        ("target=a,speed=3", f"'speed=3' is none of {KEYS}"),
        ("serial=A1", "it needs a target=…, and `jupyter fpga targets` lists what there is"),
        ("target=a,target=b", "target is said twice"),
        ("target=a,flash=yes", "flash is true or false, not 'yes'"),
        ("target=a,sram=1", "sram is true or false, not '1'"),
        ("target=a,id=-1", "id is a number from 0 on, not '-1'"),
        ("target='a", "no closing quotation"),
        ('target=a,power_cycle="x \'y"', "the command of power_cycle has no closing quotation"),
    ],
)
def test_texts_that_are_no_board(text: str, why: str) -> None:
    with pytest.raises(Invalid) as caught:
        board_of_text(text, 0)
    assert (caught.value.code, caught.value.message) == ("board_rejected", f"The board “{text}” can't be taken: {why}.")


def test_a_pool() -> None:
    boards, target = pool_of(2, ["target=a", "target=b,id=9", "target=c"])
    assert [(board.fpga_id, board.target) for board in boards] == [
        (0, "simulated"),
        (1, "simulated"),
        (2, "a"),
        (9, "b"),
        (10, "c"),
    ]
    assert target == "simulated"
    assert pool_of(0, ["target=a"], ["b"])[1] == "a"
    assert pool_of(0, [], ["b"]) == ((), "b")
    assert pool_of(0, []) == ((), "simulated")
    with pytest.raises(Invalid) as caught:
        pool_of(2, ["target=a,id=1"])
    assert caught.value.message == "The board “target=a,id=1” can't be taken: there is another board 1."
