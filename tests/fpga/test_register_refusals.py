"""The full text of every refusal of a read or a write."""

import pytest

from jupyter_fpga.errors import Invalid
from jupyter_fpga.fpga.registers import MAX_TOTAL_WORDS, MAX_TRANSACTIONS, MAX_WORDS, RegisterMap, plan

from .registers import DESIGN, REGISTERS, manifest

REFUSALS = [
    # addresses
    (
        {"op": 2, "address": 6},
        "the address 0x6 is misaligned; it must be a multiple of 4. The nearest register is 'status' at 0x4.",
    ),
    (
        {"op": 2, "address": 0x1000},
        "the address 0x1000 is outside the design's window of 0x1000 bytes. "
        "The nearest register is 'table[7]' at 0x21c.",
    ),
    (
        {"op": 2, "address": -4},
        "the address -0x4 is outside the design's window of 0x1000 bytes. The nearest register is 'duty' at 0x0.",
    ),
    (
        {"op": 1, "address": 0x18, "data": [1]},
        "the address 0x18 has no register. The nearest register is 'wide' at 0x10.",
    ),
    (
        {"op": 2, "address": 0x28, "count": 4},
        "the access reaches the address 0x30, which has no register. The nearest register is 'coef[3]' at 0x2c.",
    ),
    (
        {"op": 2, "address": 0x64},
        "the address 0x64 has no register. The nearest register is 'sparse[0]' at 0x60.",
    ),
    (
        {"op": 1, "address": 4, "data": [1]},
        "the address 0x4 belongs to 'status', which can only be read. "
        "The nearest register that can be written is 'duty' at 0x0.",
    ),
    (
        {"op": 1, "address": 0x0, "data": [1, 2]},
        "the address 0x4 belongs to 'status', which can only be read. "
        "The nearest register that can be written is 'duty' at 0x0.",
    ),
    ({"op": 2, "address": "0x0"}, "address is '0x0'; give a whole number."),
    ({"op": 2, "address": True}, "address is True; give a whole number."),
    # words
    ({"op": 1, "address": 0, "data": [256]}, "the value 0x100 doesn't fit 'duty', which has 8 bits at 0x0."),
    ({"op": 1, "address": 0x10, "data": [0x100, 0]}, "the value 0x100 doesn't fit 'wide', which has 8 bits at 0x10."),
    (
        {"op": 1, "address": 0x10, "data": [0, 1 << 32]},
        "the value 0x100000000 doesn't fit 'wide', which has 32 bits at 0x14.",
    ),
    (
        {"op": 1, "address": 0x108, "data": [1 << 16]},
        "the value 0x10000 doesn't fit 'buffer[2]', which has 16 bits at 0x108.",
    ),
    (
        {"op": 1, "address": 0xC, "data": [-1]},
        "the value -1 is negative; by address, data are unsigned 32-bit words. "
        "Write signed values by name: 'offset' is at 0xc.",
    ),
    (
        {"op": 1, "address": 0, "data": [1.5]},
        "the value 1.5 is not a whole number; by address, data are unsigned 32-bit words.",
    ),
    (
        {"op": 1, "address": 0, "data": [True]},
        "the value True is not a whole number; by address, data are unsigned 32-bit words.",
    ),
    # counts
    ({"op": 2, "address": 0, "count": 0}, f"the access is to 0 words; one transaction moves 1 to {MAX_WORDS}."),
    ({"op": 2, "address": 0, "count": -1}, f"the access is to -1 words; one transaction moves 1 to {MAX_WORDS}."),
    (
        {"op": 2, "address": 0, "count": MAX_WORDS + 1},
        f"the access is to {MAX_WORDS + 1} words; one transaction moves 1 to {MAX_WORDS}.",
    ),
    ({"op": 2, "address": 0, "count": "2"}, "count is '2'; give a whole number."),
    ({"op": 2, "register": "duty", "count": 2}, "the access is to 2 values; 'duty' takes 1 value at a time."),
    (
        {"op": 2, "register": "coef[2]", "count": 3},
        "the access is to 3 values; 'coef[2]' takes 1 to 2 values at a time.",
    ),
    (
        {"op": 1, "register": "coef", "data": [0] * 5},
        "the access is to 5 values; 'coef' takes 1 to 4 values at a time.",
    ),
    (
        {"op": 2, "register": "status.done", "count": 2},
        "the access is to 2 values; 'status.done' takes 1 value at a time.",
    ),
    (
        {"op": 2, "register": "sparse"},
        "the elements of 'sparse' don't follow each other on the bus; access one at a time, as in 'sparse[0]'.",
    ),
    (
        {"op": 2, "register": "wide", "fixed_address": True},
        "fixed_address is for registers of one word, which 'wide' isn't; leave it out.",
    ),
    # names
    ({"op": 2, "register": "dutty"}, "the design has no register 'dutty'; the nearest is 'duty'."),
    ({"op": 2, "register": "status.dne"}, "the design has no register 'status.dne'; the nearest is 'status.done'."),
    (
        {"op": 2, "register": "channel[0].gane"},
        "the design has no register 'channel[0].gane'; the nearest is 'channel[0].gain'.",
    ),
    (
        {"op": 2, "register": "xyzzy!"},
        "the design has no register 'xyzzy!'; it has duty, status, ctl, offset, wide, coef, pair, sparse, ….",
    ),
    ({"op": 2, "register": "coef[4]"}, "'coef' has 4 elements, so there is no 'coef[4]'; the last is 'coef[3]'."),
    ({"op": 2, "register": "duty[0]"}, "'duty' is one register, not an array; leave the index out."),
    ({"op": 2, "register": "channel.gain"}, "'channel' is an array; name one element, as in 'channel[0].gain'."),
    ({"op": 2, "register": 7}, "register is not a name; give a text of up to 500 characters."),
    ({"op": 2, "register": "a" * 501}, "register is not a name; give a text of up to 500 characters."),
    # access
    (
        {"op": 1, "register": "status", "data": [1]},
        "'status' can only be read. The nearest register that can be written is 'duty' at 0x0.",
    ),
    (
        {"op": 1, "register": "table[2]", "data": [1]},
        "'table[2]' can only be read. The nearest register that can be written is 'buffer[63]' at 0x1fc.",
    ),
    ({"op": 2, "register": "push"}, "'push' can only be written."),
    (
        {"op": 1, "register": "push.part", "data": [1]},
        "'push.part' can't be written alone: the other bits of 'push' have to be kept, and it can't be read. "
        "Write 'push' as a whole.",
    ),
    (
        {"op": 1, "register": "pop.part", "data": [1]},
        "'pop.part' can't be written alone: the other bits of 'pop' have to be kept, and reading it changes something. "
        "Write 'pop' as a whole.",
    ),
    # values
    ({"op": 1, "register": "duty", "data": [256]}, "the value 256 doesn't fit 'duty', which has 8 bits (0 to 255)."),
    ({"op": 1, "register": "duty", "data": [-1]}, "the value -1 doesn't fit 'duty', which has 8 bits (0 to 255)."),
    (
        {"op": 1, "register": "offset", "data": [32]},
        "the value 32 doesn't fit 'offset', which has 6 signed bits (-32 to 31).",
    ),
    (
        {"op": 1, "register": "wide", "data": [1 << 40]},
        "the value 0x10000000000 doesn't fit 'wide', which has 40 bits (0 to 0xffffffffff).",
    ),
    (
        {"op": 1, "register": "ctl.enable", "data": [2]},
        "the value 2 doesn't fit 'ctl.enable', which has 1 bit (0 to 1).",
    ),
    (
        {"op": 1, "register": "ctl.mode", "data": ["WILD"]},
        "'ctl.mode' has no value called 'WILD'; it takes OFF, SLOW, FAST.",
    ),
    ({"op": 1, "register": "duty", "data": ["ON"]}, "the value 'ON' is a text, and 'duty' takes whole numbers."),
    ({"op": 1, "register": "duty", "data": [None]}, "the value None is not a whole number, which 'duty' takes."),
    # transactions
    ({"op": 3, "address": 0}, "op is 3; use 1 or 'write', 2 or 'read'."),
    ({"address": 0}, "op is None; use 1 or 'write', 2 or 'read'."),
    ({"op": True, "address": 0}, "op is True; use 1 or 'write', 2 or 'read'."),
    ({"op": [1], "address": 0}, "op is [1]; use 1 or 'write', 2 or 'read'."),
    ({"op": 2}, "the transaction has neither address nor register; give one of them."),
    ({"op": 2, "address": 0, "register": "duty"}, "the transaction has both address and register; give one of them."),
    ({"op": 1, "address": 0}, "a write needs data; give at least one value."),
    ({"op": 1, "address": 0, "data": []}, "a write needs data; give at least one value."),
    ({"op": 1, "address": 0, "data": "40"}, "data is not a list; give a list of values."),
    ({"op": 2, "address": 0, "data": [1]}, "a read has no data; leave it out, or make it a write."),
    ({"op": 2, "address": 0, "fixed_address": 1}, "fixed_address is 1; use true or false."),
    ({"op": 2, "adress": 0}, "a transaction has no field 'adress'; the nearest is 'address'."),
    (
        {"op": 2, "address": 0, "quux": 1},
        "a transaction has no field 'quux'; it has op, address, register, data, count, fixed_address.",
    ),
]


@pytest.mark.parametrize(("transaction", "why"), REFUSALS, ids=lambda value: str(value)[:60])
def test_refusals(transaction: dict, why: str):
    with pytest.raises(Invalid) as refusal:
        plan(DESIGN, [transaction])
    assert refusal.value.message == f"Nothing was sent to the board: {why}"
    assert refusal.value.code == "run_rejected"
    assert refusal.value.detail["transaction"] == 0


def test_a_refusal_in_a_batch_says_which_transaction():
    with pytest.raises(Invalid) as refusal:
        plan(DESIGN, [{"op": 2, "address": 0}, {"op": 2, "address": 6}])
    assert refusal.value.as_dict() == {
        "error": "run_rejected",
        "message": "Nothing was sent to the board: in transaction 1, the address 0x6 is misaligned; "
        "it must be a multiple of 4. The nearest register is 'status' at 0x4.",
        "detail": {"transaction": 1, "nearest": "status", "nearest_offset": 4},
    }


def test_a_job_has_limits():
    read = {"op": 2, "register": "pop", "count": MAX_WORDS, "fixed_address": True}
    plan(DESIGN, [{"op": 2, "address": 0}] * MAX_TRANSACTIONS)
    plan(DESIGN, [read] * (MAX_TOTAL_WORDS // MAX_WORDS))
    for transactions, why in [
        ([], "there is no transaction in the request. Give at least one."),
        (
            [{"op": 2, "address": 0}] * (MAX_TRANSACTIONS + 1),
            "there are 1025 transactions, and one job has at most 1024. Split them into several jobs.",
        ),
        (
            [*[read] * (MAX_TOTAL_WORDS // MAX_WORDS), {"op": 2, "address": 0}],
            "the transactions move 262145 words, and one job moves at most 262144. Split them into several jobs.",
        ),
    ]:
        with pytest.raises(Invalid) as refusal:
            plan(DESIGN, transactions)
        assert refusal.value.message == f"Nothing was sent to the board: {why}"


def test_a_design_without_registers_has_no_nearest_one():
    empty = RegisterMap(manifest(size=0))
    for transaction, why in [
        (
            {"op": 2, "address": 0},
            "the address 0x0 is outside the design's window of 0x0 bytes. The design has no register.",
        ),
        ({"op": 2, "register": "duty"}, "the design has no register 'duty', nor any other."),
    ]:
        with pytest.raises(Invalid) as refusal:
            empty.access(transaction)
        assert refusal.value.message == f"Nothing was sent to the board: {why}"


def test_numbers_and_names_that_nobody_can_read_are_cut():
    known = "duty, status, ctl, offset, wide, coef, pair, sparse, …"
    for transaction, why in [
        (
            {"op": 2, "address": 1 << 400},
            "the address 0x100000000000000000…00000000 is outside the design's window of 0x1000 bytes. "
            "The nearest register is 'table[7]' at 0x21c.",
        ),
        (
            {"op": 1, "register": "duty", "data": [1 << 400]},
            "the value 0x100000000000000000…00000000 doesn't fit 'duty', which has 8 bits (0 to 255).",
        ),
        (
            {"op": 2, "register": "q" * 300},
            f"the design has no register '{'q' * 100}…'; it has {known}.",
        ),
    ]:
        with pytest.raises(Invalid) as refusal:
            REGISTERS.access(transaction)
        assert refusal.value.message == f"Nothing was sent to the board: {why}"
