"""The board picker: what it is as text and HTML, and that designs go where it says."""

import pytest

from jupyter_fpga.notebook.desk import Desk
from jupyter_fpga.notebook.widgets import BoardPicker

DESIGN = """%%fpga --name blink --quiet
class Top(wiring.Component):
    led: Out(1)

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.led.eq(~self.led)
        return m
"""


def test_its_text_is_the_boards_and_what_is_picked(lab):
    picker = BoardPicker(lab, board=2)
    assert repr(picker) == (
        "board  target     tags  picked\n"
        "─────  ─────────  ────  ──────\n"
        "any\n"
        "0      simulated\n"
        "1      simulated\n"
        "2      simulated        ✓\n"
        "3      simulated"
    )
    data, _ = picker._repr_mimebundle_()
    assert set(data) == {
        "application/vnd.jupyter.widget-view+json",
        "application/vnd.jupyter-fpga.view+json",
        "text/html",
        "text/plain",
    }
    assert data["text/plain"] == repr(picker)
    assert data["text/html"].count("<tr>") == 6
    picker.board = None
    assert repr(picker).splitlines()[2].split() == ["any", "✓"]


def test_only_boards_of_a_target_are_in_its_static_form(lab):
    assert len(repr(BoardPicker(lab, target="simulated")).splitlines()) == 7
    assert len(repr(BoardPicker(lab, target="icebreaker")).splitlines()) == 3


def test_designs_go_to_the_board_that_is_picked(shell):
    shell.run("from jupyter_fpga.notebook.widgets import BoardPicker\npicker = BoardPicker(board=2)")
    shell.run(DESIGN)
    assert shell.names["blink"].fpga_id == 2
    # Picked, it has the word over the board that the design is on.
    shell.names["picker"].board = 3
    shell.run(DESIGN)
    assert shell.names["blink"].fpga_id == 3
    # Another picker of the same lab begins with what was picked.
    shell.run("again = BoardPicker()")
    assert shell.names["again"].board == 3


@pytest.mark.parametrize(
    ("number", "tags", "goes_to"), [(1, [], 1), (None, [], 2), (None, ["fast"], None), (1, ["fast"], 1)]
)
def test_what_a_cell_asks_for_has_the_word_over_what_is_picked(number, tags, goes_to):
    desk = Desk()
    desk.picked = 2
    assert desk.board_for("blink", number, None, tags) == goes_to


def test_a_picker_of_another_lab_says_nothing_about_cells(shell, lab):
    class Elsewhere:
        url = "http://127.0.0.1:9/jupyter-fpga"
        door, served, boards = lab.door, False, lab.boards

    shell.run("%fpga boards")
    BoardPicker(Elsewhere(), board=1)
    assert shell.ip.magics_manager.registry["FpgaMagics"].desk.picked is None
