"""The waveform widget: what a notebook keeps of it, and what its browser's side is told."""

import json
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import jupyter_fpga.notebook.widgets.waveform as waveform_module
from jupyter_fpga.notebook.widgets.waveform import WaveformView
from jupyter_fpga.waveform import Wave, Waveform

TICK = Fraction(1, 12_000_000)


def _waveform(count: int = 20) -> Waveform:
    values = [(time * 7919) & 0xFFFF for time in range(count)]
    return Waveform([Wave("top.bus", 16, list(range(count)), values, count)], end=count, tick=TICK)


class _Told:
    """Stands where the way to the browser begins, and keeps what is sent."""

    def __init__(self, view: WaveformView, monkeypatch: pytest.MonkeyPatch) -> None:
        self.messages: list[tuple[Any, list[bytes]]] = []
        monkeypatch.setattr(view, "send", lambda content, buffers: self.messages.append((content, buffers)))


def _ask(view: WaveformView, content: Any) -> None:
    view._handle_custom_msg(content, [])


def test_static_forms_are_the_waveforms_own() -> None:
    waveform = _waveform()
    view = WaveformView(waveform)
    bundle, _ = view._repr_mimebundle_()
    assert bundle["text/plain"] == repr(waveform)
    assert bundle["text/html"] == waveform._repr_html_()
    other, _ = WaveformView(_waveform())._repr_mimebundle_()
    shown = "application/vnd.jupyter.widget-view+json"
    assert {kind: data for kind, data in bundle.items() if kind != shown} == {
        kind: data for kind, data in other.items() if kind != shown
    }


def test_a_notebook_keeps_no_signals() -> None:
    small, large = (len(json.dumps(WaveformView(_waveform(count)).get_state())) for count in (20, 100_000))
    # The little module that asks the kernel, and nothing that grows.
    assert small == large < 5_000


def test_the_browser_gets_the_view_and_the_signals(monkeypatch: pytest.MonkeyPatch) -> None:
    view = WaveformView(_waveform())
    told = _Told(view, monkeypatch)
    _ask(view, {"ask": 0})
    [(content, buffers)] = told.messages
    assert content == {"piece": 0, "pieces": 1}
    assert zlib.decompress(buffers[0]) == view.waveform.packed()
    module = Path(waveform_module.STATIC / "parts" / "waveform.js").read_bytes()
    assert zlib.decompress(buffers[1]) == module


def test_a_million_changes_travel_in_a_few_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    view = WaveformView(_waveform(1_000_000))
    told = _Told(view, monkeypatch)
    pieces = 1
    while len(told.messages) < pieces:
        _ask(view, {"ask": len(told.messages)})
        pieces = told.messages[0][0]["pieces"]
    assert pieces <= 4
    assert [content["piece"] for content, _ in told.messages] == list(range(pieces))
    assert all(len(buffers[0]) <= waveform_module.MOST for _, buffers in told.messages)
    assert zlib.decompress(b"".join(buffers[0] for _, buffers in told.messages)) == view.waveform.packed()


@pytest.mark.parametrize("content", [{"ask": 1}, {"ask": -1}, {"ask": "0"}, {}])
def test_what_is_asked_wrongly_is_not_answered(content: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    view = WaveformView(_waveform())
    told = _Told(view, monkeypatch)
    _ask(view, content)
    assert told.messages == []
