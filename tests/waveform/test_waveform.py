"""Signals over time: looked into, written, read, drawn."""

import io
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.sim import Simulator

from jupyter_fpga.waveform import Wave, Waveform
from jupyter_fpga.waveform.wave import Part

TICK = Fraction(1, 12_000_000)


@pytest.fixture
def waveform() -> Waveform:
    status = Wave("status", 4, [0, 3], [0b0001, 0b1010], 20, parts=(Part("mode", 1, 3, {"SLOW": 5}),))
    return Waveform(
        [
            Wave("inner.count", 8, list(range(20)), list(range(250, 256)) + list(range(14)), 20),
            Wave("led", 1, [0, 5, 9], [0, 1, 0], 20),
            Wave("state", 2, [0, 7], [1, 2], 20, {"IDLE": 1, "RUN": 2}),
            status,
        ],
        end=20,
        tick=TICK,
        trigger=5,
        first=123_456,
    )


def test_values_at_a_time(waveform: Waveform) -> None:
    assert waveform["led"].at(4) == 0
    assert waveform["led"].at(5) == 1
    assert waveform["led"].edges() == [5, 9]
    assert waveform["led"].edges(to=1) == [5]
    assert waveform.at(5) == {"inner.count": 255, "led": 1, "state": 1, "status": 10}
    assert waveform["state"].label(7) == "RUN"
    assert waveform["count"].samples(5) == [250, 255, 4, 9]
    assert waveform.seconds(12) == 1e-6
    assert waveform["count[3:0]"].at(0) == 10
    assert waveform["status.mode"].label(3) == "SLOW"
    assert (len(waveform), waveform.names) == (20, ["inner.count", "led", "state", "status"])


def test_what_is_not_in_it(waveform: Waveform) -> None:
    with pytest.raises(IndexError) as over:
        waveform["led"].at(20)
    assert str(over.value) == "“led” is known from tick 0 to 19; asked for was 20."
    with pytest.raises(IndexError) as wide:
        waveform["count[8]"]
    assert str(wide.value) == "“inner.count” has bits 0 to 7; asked for was 8."
    with pytest.raises(KeyError) as missing:
        waveform["cout"]
    assert missing.value.args == ("the waveform has no signal 'cout'; the nearest is inner.count",)


def test_as_json_and_back(waveform: Waveform) -> None:
    assert Waveform.from_json(waveform.to_json()) == waveform


def test_as_vcd_and_back(waveform: Waveform, tmp_path: Path) -> None:
    text = waveform.to_vcd(tmp_path / "x.vcd")
    assert text == (tmp_path / "x.vcd").read_text() == waveform.to_vcd()
    assert text.startswith(
        "$comment jupyter_fpga tick=1/12000000 unit=cycle end=20 trigger=5 first=123456 every=1 $end\n"
        "$timescale 1 ps $end\n"
    )
    # Cycle 5 of 12 MHz, in picoseconds.
    assert "#416667\n" in text
    back = Waveform.from_vcd(tmp_path / "x.vcd")
    assert (back.end, back.tick, back.trigger, back.first) == (20, TICK, 5, 123_456)
    assert {wave.name: wave.changes for wave in back} == {wave.name: wave.changes for wave in waveform}


def test_a_simulation_of_amaranth() -> None:
    """What Amaranth's own simulator writes is read as what it simulated."""
    m = Module()
    count, led = Signal(8, init=3), Signal()
    wide = Signal(70)  # The two above are called $signal: Amaranth finds no names in tuples.
    m.d.sync += [count.eq(count + 1), wide.eq(wide - 1)]
    m.d.comb += led.eq(count[1])
    seen: list[tuple[int, int, int]] = []

    async def watch(ctx) -> None:
        async for _, _, a, b, c in ctx.tick().sample(count, led, wide):
            seen.append((a, b, c))

    simulator = Simulator(m)
    simulator.add_clock(1e-6)
    simulator.add_process(watch)
    file = io.StringIO()
    with simulator.write_vcd(file, traces=[count, led, wide]):
        simulator.run_until(50e-6)
    found = Waveform.from_vcd(file.getvalue())
    period = Fraction(1, 1_000_000) / found.tick
    assert period.denominator == 1
    # What a clock edge saw is what was there just before it; the first is half a period in.
    times = [int(period / 2 + number * period) - 1 for number in range(len(seen))]
    waves = [wave for width in (8, 1, 70) for wave in found if wave.width == width and "signal" in wave.name]
    waves.append(found["wide"])
    assert [tuple(wave.at(time) for wave in waves) for time in times] == seen
    assert len(seen) >= 49


def test_unknown_values() -> None:
    text = '$timescale 1 ns $end\n$scope module a $end\n$var wire 2 ! b [1:0] $end\n$var wire 1 " c $end\n'
    text += '$upscope $end\n$enddefinitions $end\n#0\nbx !\n0"\n#10\nb10 !\n#20\nbz1 !\nx"\n#30\n'
    found = Waveform.from_vcd(text)
    assert found["a.b"].changes == [(0, None), (10, 2), (20, None)]
    assert found["c"].changes == [(0, 0), (20, None)]
    assert (found.tick, found.unit, found.end) == (Fraction(1, 10**9), "ns", 31)
    assert found["b"].label(0) == "x"
    assert Waveform.from_json(found.to_json()) == found
    assert found.to_wavejson()["signal"][1]["wave"] == "0" + "." * 19 + "x" + "." * 10


def test_a_file_of_litescope() -> None:
    text = "$timescale 41666ps $end\n$scope dumped_signals $end\n$var wire 1 ! a $end\n$upscope $end\n"
    found = Waveform.from_vcd(text + "$enddefinitions $end\n#0\n0!\n#2\n1!\n#3\n")
    assert (found.tick, found.unit, found.end) == (Fraction(41666, 10**12), "41666 ps", 4)
    assert found["a"].changes == [(0, 0), (2, 1)]


def test_what_is_no_vcd() -> None:
    with pytest.raises(ValueError, match=r"This is not a VCD file: .*\."):
        Waveform.from_vcd("never a VCD file\n")


def test_as_wavejson(waveform: Waveform) -> None:
    lanes = {lane["name"]: lane for lane in waveform.to_wavejson()["signal"]}
    assert lanes["led"] == {"name": "led", "wave": "0....1...0.........."}
    assert lanes["state"] == {"name": "state", "wave": "=......=............", "data": ["IDLE", "RUN"]}


def test_as_text(waveform: Waveform) -> None:
    assert repr(waveform) == (
        "Waveform: 4 signals, 20 cycles of 83.33 ns, trigger at 5\n"
        "  inner.count (8 bits): 0: fa, 1: fb, 2: fc, 3: fd, 4: fe, 5: ff, … 20 in all\n"
        "  led (1 bit): 0: 0, 5: 1, 9: 0\n"
        "  state (2 bits): 0: IDLE, 7: RUN\n"
        "  status (4 bits): 0: 1, 3: a"
    )


def test_as_a_picture(waveform: Waveform) -> None:
    html = waveform._repr_html_()
    assert html == waveform._repr_html_()
    svg = ElementTree.fromstring(html[: html.index("</svg>") + 6])
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    for wanted in ("inner.count", "led", "state", "IDLE", "RUN", "fa", "20 = 1.667 µs"):
        assert wanted in texts, texts
    assert len(html) < 10_000


def test_a_busy_picture_stays_small() -> None:
    times = list(range(100_000))
    busy = Waveform(
        [
            Wave("count", 16, times, [t & 0xFFFF for t in times], 100_000),
            Wave("a<b", 1, times, [t & 1 for t in times], 100_000),
        ],
        end=100_000,
        tick=TICK,
    )
    assert len(busy._repr_html_()) < 60_000
    assert "a&lt;b" in busy._repr_html_()


def test_fields_and_unknown_values_in_a_picture(waveform: Waveform) -> None:
    fields = [Part("mode", 1, 3, {"SLOW": 5}), Part("on", 0, 1)]
    unknown = Wave("status", 4, [0, 3], [None, 0b1010], 20, parts=tuple(fields))
    html = Waveform([unknown], end=20, tick=TICK)._repr_html_()
    svg = ElementTree.fromstring(html[: html.index("</svg>") + 6])
    texts = [element.text for element in svg.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[-5:] == ["status", "a", ".mode", "SLOW", ".on"]
    # What nobody knows has the colour of what is wrong, in each of the three rows.
    assert html.count('style="fill:var(--jp-error-color1') == 3


def test_a_picture_of_very_much_stays_small() -> None:
    times = list(range(0, 9_000, 10))
    values = [(time * 7919) & 0xFFFF for time in times]
    waves = [Wave(f"bus{number}", 16, times, values, 9_000) for number in range(500)]
    large = Waveform(waves, end=9_000, tick=TICK)
    assert len(large._repr_html_()) < 160_000
    assert large._repr_html_().endswith("more signals are not drawn</div>")
    assert repr(large).splitlines()[-1] == "  … 500 in all"
    assert len(repr(large).splitlines()) == 62


def test_an_empty_one() -> None:
    empty = Waveform([], end=0, tick=TICK)
    assert repr(empty) == "Waveform: 0 signals, 0 cycles of 83.33 ns"
    assert "<svg" in empty._repr_html_()
    assert Waveform.from_vcd(empty.to_vcd()) == empty
