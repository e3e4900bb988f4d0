"""The full text of what ends an operation without a result."""

import pytest

from jupyter_fpga.errors import Conflict, Unavailable
from jupyter_fpga.fpga.wishbone import BusError, LinkBusy, LinkLost, LinkTimeout, Operation, OutcomeUnknown

READ, WRITE = Operation.read(0x3000_0010), Operation.write(0x3000_0010, [1, 2])


def bus_error(operation=READ, *, index=0, certain=True, ran_on=range(0)) -> BusError:
    completed = [[n] for n in range(index)]
    return BusError(index, operation, address=0x3000_0010, certain=certain, completed=completed, ran_on=ran_on)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            bus_error(),
            "bus_error",
            "The read of address 0x30000010 (operation 0) was not answered on the bus: nothing is mapped there, "
            "or the design didn't acknowledge it in time.",
        ),
        (
            bus_error(WRITE, index=1, ran_on=range(2, 3)),
            "bus_error",
            "The write to address 0x30000010 (operation 1) was not answered on the bus: nothing is mapped there, "
            "or the design didn't acknowledge it in time. Operation 0 is done. "
            "Operation 2 is done as well, being on the wire already.",
        ),
        (
            bus_error(index=4, certain=False, ran_on=range(5, 9)),
            "bus_error",
            "Operation 4 (a read of address 0x30000010), or a later one that read 0xffffffff as well, was not answered "
            "on the bus: nothing is mapped there, or the design didn't acknowledge it in time. Operations 0 to 3 are "
            "done. Operations 5 to 8 are done as well, being on the wire already.",
        ),
        (
            OutcomeUnknown("Why.", completed=[[1], [2]], in_doubt=range(2, 5), total=9),
            "outcome_unknown",
            "Why. Operations 0 to 1 are done; operations 2 to 4 were on the wire and may or may not have been carried "
            "out; operations 5 to 8 were not sent. Read back what matters before you go on.",
        ),
        (
            LinkTimeout("Why.", completed=[], in_doubt=range(1), total=1),
            "outcome_unknown",
            "Why. No operation is known to be done; operation 0 was on the wire and may or may not have been carried "
            "out. Read back what matters before you go on.",
        ),
        (
            LinkLost("it hung up.", completed=[[]], in_doubt=range(1, 2), total=3),
            "link_lost",
            "The link to the board is lost: it hung up. Operation 0 is done; operation 1 was on the wire and may or "
            "may not have been carried out; operation 2 was not sent. Reset the board to use it again.",
        ),
        (
            LinkLost("it hung up."),
            "link_lost",
            "The link to the board is lost: it hung up. Reset the board to use it again.",
        ),
        (
            LinkBusy("a capture"),
            "link_busy",
            "The board's link is held exclusively for a capture; try again when it is released.",
        ),
    ],
)
def test_messages(error, code: str, message: str):
    assert error.message == message
    assert error.code == code


def test_details_are_for_programs():
    assert bus_error(index=2, ran_on=range(3, 5)).detail == {
        "known_done": 2,
        "index": 2,
        "address": 0x3000_0010,
        "certain": True,
        "ran_on": [3, 4],
    }
    unknown = OutcomeUnknown("Why.", completed=[[1]], in_doubt=range(1, 4), total=5)
    assert unknown.detail == {"known_done": 1, "reason": "Why.", "in_doubt": [1, 3]}
    assert unknown.completed == [[1]]


def test_what_is_said_of_one_operation():
    """As if it had been the only one; nothing of those that aren't to blame."""
    failed = bus_error(WRITE, index=1, ran_on=range(2, 3))
    assert [failed.alone(index) is None for index in range(4)] == [True, False, True, True]
    assert (str(failed.alone(1)), failed.alone(1).detail) == (str(bus_error(WRITE)), bus_error(WRITE).detail)
    unknown = LinkTimeout("Why.", completed=[[1]], in_doubt=range(1, 3), total=5)
    assert [unknown.alone(index) is None for index in range(5)] == [True, False, False, True, True]
    assert type(unknown.alone(2)) is LinkTimeout
    assert str(unknown.alone(2)) == str(LinkTimeout("Why.", completed=[], in_doubt=range(1), total=1))
    # That the board is gone concerns whoever hasn't got an answer.
    lost = LinkLost("it hung up.", completed=[[]], in_doubt=range(1, 2), total=3)
    assert str(lost.alone(1)) == str(LinkLost("it hung up.", in_doubt=range(1), total=1))
    assert str(lost.alone(2)) == (
        "The link to the board is lost: it hung up. No operation is known to be done; operation 0 was not sent. Reset "
        "the board to use it again."
    )


def test_kinds():
    assert isinstance(LinkLost("it hung up."), Unavailable)
    assert isinstance(LinkBusy("a capture"), Conflict)
