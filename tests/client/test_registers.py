"""Registers by name, against a window that is a list of words."""

import enum

import pytest

from jupyter_fpga.client import Conflict, Invalid
from jupyter_fpga.client.batch import Batch
from jupyter_fpga.client.memories import Memories
from jupyter_fpga.client.ports import Operation
from jupyter_fpga.client.registers import Registers
from jupyter_fpga.gateware.manifest import Array, Field, Memory, Register

MODES = {"OFF": 0, "SLOW": 1, "FAST": 2}
REGISTERS = [
    Register("duty", 0x0, 8, 1, "rw", doc="On-time of the LED."),
    Register(
        "status", 0x4, 4, 1, "ro", fields=[Field("done", 0, 1, "Work is done."), Field("phase", 1, 3, signed=True)]
    ),
    Register("control", 0x8, 3, 1, "rw", fields=[Field("enable", 0, 1), Field("mode", 1, 2, enum=MODES)]),
    Register("offset", 0xC, 12, 1, "rw", signed=True),
    Register("total", 0x10, 48, 2, "rw"),
    Register("coef", 0x18, 16, 1, "rw", signed=True, array=Array(4, 4)),
    Register("mode", 0x28, 2, 1, "rw", enum=MODES),
    Register("fifo", 0x2C, 8, 1, "ro", side_effects=True),
    Register("trigger", 0x30, 1, 1, "wo"),
]
MEMORY = Memory("buffer", 0x40, 8, 16, "rw", "Samples.")


class Window:
    """A window of words that remembers how often it was asked."""

    def __init__(self) -> None:
        self.words = [0] * 64
        self.trips: list[list[Operation]] = []
        self.refuse: Exception | None = None

    async def run(self, operations):
        self.trips.append(list(operations))
        if self.refuse is not None:
            raise self.refuse
        answers = []
        for operation in operations:
            first = operation.offset // 4
            if operation.data is None:
                answers.append(self.words[first : first + operation.count])
            else:
                self.words[first : first + len(operation.data)] = operation.data
                answers.append([])
        return answers


@pytest.fixture
def window():
    return Window()


@pytest.fixture
def regs(window):
    return Registers(window, REGISTERS)


def test_a_register_is_written_and_read_by_name(window, regs):
    regs.duty = 40
    assert window.words[0] == 40
    assert regs.duty.value == 40
    regs.duty.value = 41
    assert regs["duty"].read() == 41
    regs["duty"] = 42
    assert int(regs.duty) == 42


def test_a_register_stands_for_its_value(window, regs):
    window.words[0] = 40
    assert regs.duty == 40
    assert regs.duty > 39
    assert regs.duty >= regs.duty
    assert regs.duty < 41
    assert regs.duty <= 40
    assert regs.duty != 41
    assert range(100)[regs.duty] == 40
    assert regs.duty
    window.words[0] = 0
    assert not regs.duty


def test_fields_are_read_and_written_alone(window, regs):
    window.words[1] = 0b1101
    assert regs.status.done == 1
    assert regs.status.phase == -2
    window.words[2] = 0b101
    regs.control.enable = 0
    assert window.words[2] == 0b100
    regs.control.mode = "SLOW"
    assert window.words[2] == 0b010
    assert regs.control.mode == "SLOW"
    regs.control["enable"] = 1
    assert regs.control["enable"] == 1
    regs.control = {"enable": 0}
    assert window.words[2] == 0b010


def test_all_fields_at_once_need_no_read(window, regs):
    regs.control = {"enable": 1, "mode": "FAST"}
    assert window.words[2] == 0b101
    assert len(window.trips) == 1


def test_signed_values(window, regs):
    regs.offset = -5
    assert window.words[3] == 0xFFB
    assert regs.offset.value == -5


def test_a_wide_register_has_its_high_word_first_and_one_trip(window, regs):
    regs.total = 0x1234_5678_9ABC
    assert window.words[4:6] == [0x1234, 0x5678_9ABC]
    assert regs.total.value == 0x1234_5678_9ABC
    assert [len(trip) for trip in window.trips] == [1, 1]


def test_enums_have_names(window, regs):
    class Mode(enum.Enum):
        OFF = 0
        FAST = 2

    regs.mode = "FAST"
    assert window.words[10] == 2
    assert regs.mode.value == "FAST"
    assert regs.mode.value == 2
    assert regs.mode.value == Mode.FAST
    assert regs.mode.value != Mode.OFF
    assert repr(regs.mode.value) == "<FAST: 2>"
    assert {regs.mode.value} == {2}
    regs.mode = Mode.OFF
    assert window.words[10] == 0
    window.words[10] = 3
    assert repr(regs.mode.value) == "3"


def test_arrays_are_indexed(window, regs):
    regs.coef[3] = -1
    assert window.words[9] == 0xFFFF
    assert regs.coef[3] == -1
    assert regs.coef[-1].value == -1
    regs.coef = [1, -2, 3, -4]
    assert regs.coef.values == [1, -2, 3, -4]
    regs.coef.values = [5, 6, 7, 8]
    regs.coef[1:3] = [0, -1]
    assert [int(element) for element in regs.coef] == [5, 0, -1, 8]
    assert len(regs.coef) == 4
    assert [element.info.offset for element in regs.coef[1:3]] == [0x1C, 0x20]


@pytest.mark.parametrize(
    ("do", "code", "message"),
    [
        (
            lambda r: setattr(r, "duty", 256),
            "value_too_wide",
            "Register “duty” takes 0 to 255 (8 bits); got 256.",
        ),
        (
            lambda r: setattr(r, "offset", 2048),
            "value_too_wide",
            "Register “offset” takes -2048 to 2047 (12 bits, signed); got 2048.",
        ),
        (
            lambda r: setattr(r.control, "enable", 2),
            "value_too_wide",
            "Field “enable” of register “control” takes 0 to 1 (1 bit); got 2.",
        ),
        (
            lambda r: setattr(r, "duty", 1.5),
            "not_a_number",
            "Register “duty” takes a whole number; got 1.5 (float).",
        ),
        (
            lambda r: setattr(r, "mode", "WARP"),
            "no_such_value",
            "Register “mode” has no value called “WARP”; it takes OFF, SLOW, FAST.",
        ),
        (
            lambda r: setattr(r, "mode", None),
            "not_a_number",
            "Register “mode” takes a whole number, or one of the names OFF, SLOW, FAST; got None (NoneType).",
        ),
        (
            lambda r: setattr(r, "status", 1),
            "read_only",
            "Register “status” can only be read: it is an output of the design.",
        ),
        (lambda r: r.trigger.value, "write_only", "Register “trigger” can only be written."),
        (
            lambda r: r.status.finished,
            "no_such_field",
            "Register “status” has no field “finished”; it has done, phase.",
        ),
        (
            lambda r: setattr(r.duty, "half", 1),
            "no_such_field",
            "Register “duty” has no field “half”: it has no fields at all.",
        ),
        (lambda r: r.dutty, "no_such_register", "The design has no register “dutty”. Did you mean “duty”?"),
        (
            lambda r: setattr(r, "dutty", 1),
            "no_such_register",
            "The design has no register “dutty”. Did you mean “duty”?",
        ),
        (
            lambda r: r["xyzzy"],
            "no_such_register",
            "The design has no register “xyzzy”. "
            "It has duty, status, control, offset, total, coef, mode, fifo, trigger.",
        ),
        (lambda r: r.coef[4], "no_such_element", "Register array “coef” has elements 0 to 3; got 4."),
        (
            lambda r: setattr(r, "coef", [1, 2]),
            "wrong_length",
            "Register array “coef” takes 4 values here; got 2.",
        ),
        (
            lambda r: setattr(r.coef[1], "value", 1 << 15),
            "value_too_wide",
            "Register “coef[1]” takes -32768 to 32767 (16 bits, signed); got 32768.",
        ),
    ],
)
def test_what_can_not_be_is_refused_and_nothing_is_written(window, regs, do, code, message):
    with pytest.raises(Invalid) as refusal:
        do(regs)
    assert str(refusal.value) == message
    assert refusal.value.code == code
    assert all(operation.data is None for trip in window.trips for operation in trip)


def test_a_design_without_registers_says_so(window):
    with pytest.raises(Invalid) as refusal:
        Registers(window, []).duty  # noqa: B018
    assert str(refusal.value) == (
        "The design has no register “duty”. It has none; read and write its window by byte offset."
    )


def test_an_unknown_name_is_no_attribute(regs):
    assert not hasattr(regs, "xyzzy")
    assert hasattr(regs, "duty")


def test_completion_lists_registers_and_fields_and_reads_nothing(window, regs):
    assert dir(regs) == sorted(register.name for register in REGISTERS)
    assert {"done", "phase", "value"} <= set(dir(regs.status))
    assert regs._ipython_key_completions_() == [register.name for register in REGISTERS]
    assert window.trips == []


TABLE = """\
register   offset  bits  access  value      description
─────────  ──────  ────  ──────  ─────────  ───────────────────
duty       0x0     8     rw      40 (0x28)  On-time of the LED.
status     0x4     4     ro      13 (0xd)
  .done            0     ro      1          Work is done.
  .phase           3…1   ro      -2
control    0x8     3     rw      5
  .enable          0     rw      1
  .mode            2…1   rw      FAST (2)
offset     0xc     12    rw      -5
total      0x10    48    rw      0x100
coef[0]    0x18    16    rw      -1
coef[1]    0x1c    16    rw      0
coef[2]    0x20    16    rw      0
coef[3]    0x24    16    rw      0
mode       0x28    2     rw      SLOW (1)
fifo       0x2c    8     ro      –
trigger    0x30    1     wo      –"""


def test_all_registers_are_a_table_and_one_trip(window, regs):
    window.words[:11] = [40, 13, 5, 0xFFB, 0, 0x100, 0xFFFF, 0, 0, 0, 1]
    assert repr(regs) == TABLE
    assert len(window.trips) == 1
    # Reading the FIFO would take something out of it.
    assert all(operation.offset != 0x2C for operation in window.trips[0])


def test_the_table_as_html_is_escaped(window):
    regs = Registers(window, [Register("duty", 0, 8, 1, "rw", doc="<b>&")])
    html = regs._repr_html_()
    assert "&lt;b&gt;&amp;" in html
    assert "<b>" not in html
    assert html == regs._repr_html_()


def test_a_table_that_can_not_be_read_says_why(window, regs):
    window.refuse = Conflict("The board session on board 0 has ended.")
    assert repr(regs).endswith("Values not read: The board session on board 0 has ended.")
    assert "duty       0x0     8     rw      –      On-time of the LED." in repr(regs)
    assert repr(regs.duty).endswith("Not read: The board session on board 0 has ended.")


def test_one_register_is_a_table_too(window, regs):
    window.words[0] = 40
    assert repr(regs.duty) == (
        "register  offset  bits  access  value      description\n"
        "────────  ──────  ────  ──────  ─────────  ───────────────────\n"
        "duty      0x0     8     rw      40 (0x28)  On-time of the LED."
    )
    assert "40 (0x28)" in regs.duty._repr_html_()
    before = len(window.trips)
    assert "–" in repr(regs.fifo)
    assert len(window.trips) == before


async def test_every_operation_has_an_awaitable_twin(window, regs):
    await regs.duty.awrite(7)
    assert await regs.duty.aread() == 7
    await regs.coef.awrite([1, 2, 3, 4])
    assert await regs.coef.aread() == [1, 2, 3, 4]
    window.words[1] = 1
    assert await regs.status.afield("done") == 1


def batch(window):
    return Batch(window, REGISTERS, lambda operation: None)


def test_a_batch_is_one_trip_in_order(window):
    with batch(window) as b:
        b.regs.duty = 40
        duty = b.regs.duty
        b.regs.control = {"enable": 1, "mode": "FAST"}
        b.regs.coef = [1, 2, 3, 4]
        b.regs.coef[1] = -7
        element = b.regs.coef[1]
        b.write(0x28, 2)
        words = b.read(0x0, 3)
        mode = b.regs["mode"]
        assert len(b) == 12
        assert window.trips == []
    assert len(window.trips) == 1
    assert duty.value == 40
    assert element.value == -7
    assert words.value == [40, 0, 5]
    assert mode.value == "FAST"
    assert repr(mode) == "<Pending: <FAST: 2>>"


async def test_a_batch_works_asynchronously(window):
    async with batch(window) as b:
        b.regs.duty = 1
        seen = b.regs.duty
    assert seen.value == 1


def test_a_batch_whose_block_raises_sends_nothing(window):
    with pytest.raises(ZeroDivisionError), batch(window) as b:
        b.regs.duty = 1 // (b.write(0, 1) or 0)
    assert window.trips == []


def test_a_pending_value_is_not_there_before_the_end(window):
    with batch(window) as b:
        pending = b.regs.duty
        assert repr(pending) == "<Pending>"
        with pytest.raises(Invalid) as refusal:
            pending.value  # noqa: B018
        assert str(refusal.value) == "The batch hasn't run: its values are there after the end of its `with` block."


def test_part_of_a_register_needs_a_read_which_a_batch_can_not_do(window):
    with pytest.raises(Invalid) as refusal, batch(window) as b:
        b.regs.control = {"enable": 1}
    assert str(refusal.value) == (
        "Register “control” can't be changed in part here, since that needs a read first; give mode as well."
    )
    assert window.trips == []


def test_an_unknown_register_in_a_batch(window):
    with pytest.raises(Invalid) as refusal, batch(window) as b:
        b.regs.dutty = 1
    assert str(refusal.value) == "The design has no register “dutty”. Did you mean “duty”?"


def test_memories_are_indexed_and_sliced(window):
    memories = Memories(window, [MEMORY])
    memories.buffer[0:3] = [1, 2, 3]
    memories.buffer[-1] = 9
    assert memories.buffer[1] == 2
    assert memories.buffer[0:4] == [1, 2, 3, 0]
    assert list(memories["buffer"]) == [1, 2, 3, 0, 0, 0, 0, 9]
    memories.buffer = [7, 7]
    assert window.words[16:19] == [7, 7, 3]
    assert dir(memories) == ["buffer"]
    assert len(memories.buffer) == 8
    assert repr(memories) == (
        "memory  offset  words  bits  access  description\n"
        "──────  ──────  ─────  ────  ──────  ───────────\n"
        "buffer  0x40    8      16    rw      Samples."
    )


@pytest.mark.parametrize(
    ("do", "message"),
    [
        (lambda m: m.buffer[8], "Memory “buffer” has words 0 to 7; got 1 from 8 on."),
        (
            lambda m: m.buffer.__setitem__(0, 1 << 16),
            "A word of memory “buffer” takes 0 to 65535 (16 bits); got 65536.",
        ),
        (lambda m: m.buffer.__setitem__(slice(0, 2), [1]), "Memory “buffer” takes 2 values here; got 1."),
        (
            lambda m: m.buffer[0:8:2],
            "Memory “buffer” takes a word's number or a slice of neighbours; got slice(0, 8, 2).",
        ),
        (lambda m: m.bufer, "The design has no memory “bufer”. Did you mean “buffer”?"),
    ],
)
def test_what_a_memory_refuses(window, do, message):
    with pytest.raises(Invalid) as refusal:
        do(Memories(window, [MEMORY]))
    assert str(refusal.value) == message
    assert window.trips == []


def test_arithmetic_reads_and_assigning_it_writes(regs, window):
    regs.duty = 40
    regs.duty += 2
    regs.duty ^= 1
    assert window.words[0] == 43
    assert (regs.duty - 3, 50 - regs.duty, regs.duty << 1, ~regs.duty, -regs.duty) == (40, 7, 86, -44, -43)
    regs.offset = -5
    assert regs.duty + regs.offset == 38
    with pytest.raises(Invalid):
        regs.duty += 300
    assert window.words[0] == 43
