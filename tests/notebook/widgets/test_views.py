"""The views' models and their static forms."""

from pathlib import Path

import pytest
from IPython.core.formatters import DisplayFormatter
from ipywidgets import Widget

from jupyter_fpga.notebook.widgets import BenchView, RegisterPanel
from jupyter_fpga.notebook.widgets._view import STATIC, VIEW_TYPE, View


@pytest.fixture(params=[RegisterPanel, BenchView])
def view(request, board) -> View:
    made = request.param(board)
    yield made
    made.close()


def test_a_view_is_shown_with_its_static_forms(view):
    data, metadata = view._repr_mimebundle_()
    assert data.pop("application/vnd.jupyter.widget-view+json")["model_id"] == view.model_id
    assert data == {"text/plain": repr(view), "text/html": view.html(), VIEW_TYPE: {}}
    assert metadata == {}
    assert view.html().startswith("<table>")


def test_static_forms_are_the_same_each_time(view, board):
    again = type(view)(board)
    assert (again.text(), again.html()) == (view.text(), view.html())
    assert "object at 0x" not in view.text()


def test_a_view_that_was_closed_still_has_its_static_forms(view):
    view.close()
    data, _ = DisplayFormatter().format(view)
    assert data == {"text/plain": view.text(), "text/html": view.html()}


def test_the_panel_knows_the_registers_by_the_manifest(board):
    panel = RegisterPanel(board)
    assert (panel.name, panel.fpga_id, panel.design) == ("pwm", board.fpga_id, board.manifest.digest)
    assert [(register["name"], register["width"], register["reset"]) for register in panel.registers] == [
        ("duty", 8, "0"),
        # More than a number of JavaScript's holds.
        ("wide", 40, str(1 << 39)),
        ("led", 1, "0"),
        ("uart_tx", 1, "1"),
    ]
    assert not panel.served


def test_the_bench_has_what_the_design_uses(board):
    bench = BenchView(board)
    assert (bench.leds, bench.buttons, bench.switches, bench.console) == (1, 0, 0, True)


def test_each_browser_side_is_small():
    modules = list(Path(STATIC).glob("*.js"))
    assert modules
    for module in modules:
        assert module.stat().st_size < 20_000, module.name


def test_no_model_has_more_than_the_view_needs(view):
    # What is in the state is in a saved notebook.
    state = view.get_state()
    own = {name: value for name, value in state.items() if name not in Widget.class_trait_names()}
    assert len(str({**own, "_esm": ""})) < 4000
