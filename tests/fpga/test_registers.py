"""What may be asked for by name and by address, and what becomes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_fpga.errors import Invalid
from jupyter_fpga.fpga.frames import Request
from jupyter_fpga.fpga.registers import plan
from jupyter_fpga.fpga.wishbone import Operation
from jupyter_fpga.gateware.manifest import Register

from .registers import BASE, DESIGN, REGISTERS


def asks(**transaction) -> Operation:
    return REGISTERS.access(transaction).operation


def values(words: list[int], **transaction):
    answer = REGISTERS.access(transaction).answer(words)
    assert answer["data"] == words
    return answer["values"]


# ---- what is right


def test_by_address():
    assert asks(op=1, address=0, data=[40]) == Operation.write(BASE, [40])
    assert asks(op="write", address=0x20, data=[1, 2]) == Operation.write(BASE + 0x20, [1, 2])
    assert asks(op=2, address=0x100, count=64) == Operation.read(BASE + 0x100, 64)
    assert asks(op="read", address=4) == Operation.read(BASE + 4)


def test_what_the_peer_client_sends():
    assert asks(op=2, address=0, data=[], count=1, fixed_address=False) == Operation.read(BASE)
    assert asks(op=1, address=0, data=[7], count=0, fixed_address=False) == Operation.write(BASE, [7])


def test_a_fixed_address_has_as_many_words_as_one_likes():
    push = Operation.write(BASE + 0x80, [1, 2] * 50, fixed=True)
    assert asks(op=1, address=0x80, data=[1, 2] * 50, fixed_address=True) == push
    assert asks(op=1, register="push", data=[1, 2] * 50, fixed_address=True) == push
    pop = Operation.read(BASE + 0x84, 100, fixed=True)
    assert asks(op=2, address=0x84, count=100, fixed_address=True) == pop
    assert asks(op=2, register="pop", count=100, fixed_address=True) == pop
    assert asks(op=2, register="pop", fixed_address=True) == Operation.read(BASE + 0x84, fixed=True)


def test_by_name():
    assert asks(op="write", register="duty", data=[40]) == Operation.write(BASE, [40])
    assert asks(op="read", register="duty") == Operation.read(BASE)
    assert values([40], op="read", register="duty") == [40]


def test_signed_values():
    assert asks(op="write", register="offset", data=[-1]) == Operation.write(BASE + 0xC, [0x3F])
    assert values([0x3F], op="read", register="offset") == [-1]
    assert values([0x1F], op="read", register="offset") == [31]


def test_a_wide_register_has_its_high_word_first():
    assert asks(op="write", register="wide", data=[0xAB_1234_5678]) == Operation.write(BASE + 0x10, [0xAB, 0x1234_5678])
    assert asks(op="read", register="wide") == Operation.read(BASE + 0x10, 2)
    assert values([0xAB, 0x1234_5678], op="read", register="wide") == [0xAB_1234_5678]


def test_arrays():
    assert asks(op="read", register="coef") == Operation.read(BASE + 0x20, 4)
    assert asks(op="read", register="coef[2]") == Operation.read(BASE + 0x28)
    assert asks(op="read", register="coef[2]", count=2) == Operation.read(BASE + 0x28, 2)
    assert asks(op="write", register="coef", data=[-1, 2]) == Operation.write(BASE + 0x20, [0xFFFF, 2])
    assert asks(op="write", register="pair[1]", data=[1 << 32]) == Operation.write(BASE + 0x48, [1, 0])
    assert values([0, 1, 2, 3], op="read", register="pair", count=2) == [1, 0x2_0000_0003]
    assert asks(op="read", register="sparse[1]") == Operation.read(BASE + 0x70)


def test_memories():
    assert asks(op="read", register="buffer") == Operation.read(BASE + 0x100, 64)
    assert asks(op="read", register="buffer[63]") == Operation.read(BASE + 0x1FC)
    assert asks(op="write", register="buffer[4]", data=[0xFFFF, 0]) == Operation.write(BASE + 0x110, [0xFFFF, 0])
    assert values([5, 6], op="read", register="table[1]", count=2) == [5, 6]


def test_fields_are_read_out_of_their_register():
    assert asks(op="read", register="status.done") == Operation.read(BASE + 4)
    assert values([0xFF3], op="read", register="status.done") == [1]
    assert values([0xFF3], op="read", register="status.level") == [-1]
    assert values([0xAB, 0xC234_5678], op="read", register="wide.middle") == [0xBC]
    assert values([0xAB], op="read", register="channel[1].gain") == [0xA]


def test_enums_have_names():
    answer = REGISTERS.access({"op": "read", "register": "status.mode"}).answer([0x2])
    assert answer == {"data": [2], "values": [1], "names": ["RUN"]}
    answer = REGISTERS.access({"op": "read", "register": "state"}).answer([3])
    assert answer == {"data": [3], "values": [3], "names": [None]}
    assert asks(op="write", register="state", data=["BUSY"]) == Operation.write(BASE + 0x88, [1])


def test_a_field_is_written_without_touching_the_rest():
    assert asks(op="write", register="ctl.mode", data=["FAST"]) == Operation.modify(BASE + 8, [0x20], [0x30])
    assert asks(op="write", register="wide.middle", data=[0xBC]) == Operation.modify(
        BASE + 0x10, [0xB, 0xC000_0000], [0xF, 0xF000_0000]
    )
    assert asks(op="write", register="channel[1].gain", data=[5]) == Operation.modify(BASE + 0x94, [0x50], [0xF0])
    # The whole register needs no reading.
    assert asks(op="write", register="wide.all", data=[1]) == Operation.write(BASE + 0x10, [0, 1])


def test_the_sign_may_be_extended_to_the_word_by_address():
    assert asks(op=1, address=0xC, data=[0xFFFF_FFFE]) == Operation.write(BASE + 0xC, [0x3E])


def test_a_plan_has_one_operation_and_one_answer_for_each_transaction():
    transactions = [
        {"op": 1, "register": "duty", "data": [1]},
        {"op": 2, "register": "offset"},
        {"op": 2, "address": 0x100, "count": 2},
    ]
    checked = plan(DESIGN, transactions)
    assert checked.operations == [
        Operation.write(BASE, [1]),
        Operation.read(BASE + 0xC),
        Operation.read(BASE + 0x100, 2),
    ]
    answers = [{"data": []}, {"data": [0x3F], "values": [-1]}, {"data": [7, 8]}]
    assert checked.answers([[], [0x3F], [7, 8]]) == answers
    assert checked.answers([[]]) == answers[:1]


def test_frames_are_checked_the_same_way():
    assert REGISTERS.frame(Request(0x20, (1, 2), 2)).operation == Operation.write(BASE + 0x20, [1, 2])
    assert REGISTERS.frame(Request(0x84, None, 9, True)).operation == Operation.read(BASE + 0x84, 9, fixed=True)
    with pytest.raises(Invalid) as refusal:
        REGISTERS.frame(Request(2, None, 1))
    assert refusal.value.message == (
        "Nothing was sent to the board: the address 0x2 is misaligned; it must be a multiple of 4. "
        "The nearest register is 'duty' at 0x0."
    )


LIMITS = {
    "duty": (0, 255),
    "offset": (-32, 31),
    "wide": (0, 2**40 - 1),
    "coef[1]": (-(2**15), 2**15 - 1),
    "pair[2]": (0, 2**64 - 1),
    "buffer[9]": (0, 2**16 - 1),
}


@given(st.data())
def test_what_fits_by_name_reads_back_as_the_same_value(data: st.DataObject):
    name = data.draw(st.sampled_from(sorted(LIMITS)))
    value = data.draw(st.integers(*LIMITS[name]))
    written = asks(op="write", register=name, data=[value])
    assert values(list(written.words), op="read", register=name) == [value]


@pytest.mark.parametrize("name", LIMITS)
def test_what_does_not_fit_by_name_is_refused(name: str):
    low, high = LIMITS[name]
    for value in (low - 1, high + 1):
        with pytest.raises(Invalid, match="doesn't fit"):
            asks(op="write", register=name, data=[value])


@given(st.integers(-64, 0x1100), st.integers(0, 80), st.booleans())
def test_what_is_taken_by_address_is_inside_the_design(offset: int, count: int, writes: bool):
    words = {offset + 4 * n for r in DESIGN.registers for offset in _offsets(r) for n in range(r.words)}
    words |= {m.offset + 4 * n for m in DESIGN.memories for n in range(m.words)}
    read_only = {4} | {0x200 + 4 * n for n in range(8)}
    asked = {offset + 4 * n for n in range(count)}
    right = bool(asked) and asked <= words - (read_only if writes else set())
    transaction = {"op": 1, "data": [0] * count} if writes else {"op": 2, "count": count}
    if not right:
        with pytest.raises(Invalid):
            asks(address=offset, **transaction)
        return
    operation = asks(address=offset, **transaction)
    assert operation.address == BASE + offset
    assert operation.count == count


def _offsets(register: Register) -> list[int]:
    if register.array is None:
        return [register.offset]
    return [register.offset + n * register.array.stride for n in range(register.array.length)]
