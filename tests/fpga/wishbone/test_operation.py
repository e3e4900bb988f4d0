import pytest

from jupyter_fpga.errors import Invalid
from jupyter_fpga.fpga.wishbone import Operation


def test_operations_say_what_they_do():
    assert str(Operation.read(0x3000_0000)) == "read of 1 word at 0x30000000"
    assert str(Operation.write(0x3000_0010, [1, 2])) == "write of 2 words at 0x30000010"
    assert not Operation.read(0).is_write
    assert Operation.modify(0, [1], [3]).is_write


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Operation.read(0x3000_0006),
            "The address 0x30000006 is misaligned; the bus is addressed by words of 4 bytes, "
            "and the word that holds it is at 0x30000004.",
        ),
        (lambda: Operation.read(0, 0), "An operation of 0 words does nothing; give at least one word."),
        (lambda: Operation.write(0, []), "An operation of 0 words does nothing; give at least one word."),
        (lambda: Operation.read(-4), "The address -0x4 is not on the bus; it has 0x0 to 0xfffffffc."),
        (lambda: Operation.read(1 << 32), "The address 0x100000000 is not on the bus; it has 0x0 to 0xfffffffc."),
        (
            lambda: Operation.read(0xFFFF_FFFC, 2),
            "The address 0x100000000 is not on the bus; it has 0x0 to 0xfffffffc.",
        ),
        (lambda: Operation.write(0, [1 << 32]), "The word 4294967296 doesn't fit the bus; it takes 0 to 0xffffffff."),
        (lambda: Operation.write(0, [-1]), "The word -1 doesn't fit the bus; it takes 0 to 0xffffffff."),
        (lambda: Operation.modify(0, [1], []), "There are 1 words and 0 masks; give one mask for each word."),
    ],
)
def test_what_can_not_be_done_is_refused(make, message: str):
    with pytest.raises(Invalid) as refusal:
        make()
    assert refusal.value.message == message


def test_a_fixed_address_has_no_end():
    assert Operation.read(0xFFFF_FFFC, 1000, fixed=True).count == 1000
