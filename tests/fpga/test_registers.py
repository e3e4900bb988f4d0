"""What may be asked for, and the full text of every refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_fpga.errors import Invalid
from jupyter_fpga.fpga.frames import Request
from jupyter_fpga.fpga.registers import MAX_TOTAL_WORDS, MAX_TRANSACTIONS, MAX_WORDS, RegisterMap, plan
from jupyter_fpga.fpga.wishbone import Operation
from jupyter_fpga.gateware.manifest import Array, Control, Field, Manifest, Memory, Register, Window

BASE = 0x3000_0000
CONTROL = Control(0xF000_0004, 0xF000_0008, 0xF000_000C, 0xF000_0014, 0xF000_0800, 64)


def manifest(registers: list[Register] = (), memories: list[Memory] = (), size: int = 0x1000) -> Manifest:
    return Manifest(
        target="simulated",
        form="amaranth_component",
        top="Top",
        clock_hz=12_000_000,
        baud=1_000_000,
        fifo_depth=1024,
        window=Window(BASE, size),
        control=CONTROL,
        registers=list(registers),
        memories=list(memories),
    )


DESIGN = manifest(
    [
        Register("duty", 0x0, 8, 1, "rw"),
        Register(
            "status",
            0x4,
            12,
            1,
            "ro",
            fields=[
                Field("done", 0, 1),
                Field("mode", 1, 3, enum={"IDLE": 0, "RUN": 1}),
                Field("level", 4, 8, signed=True),
            ],
        ),
        Register(
            "ctl",
            0x8,
            8,
            1,
            "rw",
            fields=[Field("enable", 0, 1), Field("mode", 4, 2, enum={"OFF": 0, "SLOW": 1, "FAST": 2})],
        ),
        Register("offset", 0xC, 6, 1, "rw", signed=True),
        Register("wide", 0x10, 40, 2, "rw", fields=[Field("low", 0, 8), Field("middle", 28, 8), Field("all", 0, 40)]),
        Register("coef", 0x20, 16, 1, "rw", signed=True, array=Array(4, 4)),
        Register("pair", 0x40, 64, 2, "rw", array=Array(3, 8)),
        Register("sparse", 0x60, 8, 1, "rw", array=Array(2, 16)),
        Register("push", 0x80, 32, 1, "wo", fields=[Field("part", 0, 4)]),
        Register("pop", 0x84, 32, 1, "rw", side_effects=True, fields=[Field("part", 0, 4)]),
        Register("state", 0x88, 2, 1, "rw", enum={"IDLE": 0, "BUSY": 1}),
        Register("channel", 0x90, 8, 1, "rw", array=Array(2, 4), fields=[Field("gain", 4, 4)]),
    ],
    [Memory("buffer", 0x100, 64, 16, "rw"), Memory("table", 0x200, 8, 32, "ro")],
)
REGISTERS = RegisterMap(DESIGN)


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


# ---- what is refused


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
