"""The board picker: which board the next designs go to."""

from typing import Any

import traitlets
from IPython.core.getipython import get_ipython

from jupyter_fpga.client import LabClient
from jupyter_fpga.client.tables import html_table, text_table
from jupyter_fpga.notebook.desk import Desk

from ._view import STATIC, View

__all__ = ("BoardPicker",)


class BoardPicker(View):
    """The lab's boards as they are now: their state, who holds them and for how long; one's own with Renew and Release.

    The one that is picked is :attr:`board`, and ``%%fpga`` cells without ``--board`` go there. Its static form has only
    what stays the same from run to run: the boards there are, and which one is picked.

    Parameters
    ----------
    lab
        The lab; that of ``%%fpga`` when None.
    board
        The board that is picked at first; when None, the one that was picked before, or any that is free.
    target
        Only boards of this kind are shown at first.

    Raises
    ------
    LabError
        Of the request for the boards.
    """

    _esm = STATIC / "picker.js"

    #: Number of the board that is picked; ``None``: any that is free.
    board: "traitlets.Int[int | None, int | None]" = traitlets.Int(None, allow_none=True).tag(sync=True)
    #: Only boards of this target are shown at first; all when empty.
    target = traitlets.Unicode().tag(sync=True)

    def __init__(self, lab: LabClient | None = None, *, board: int | None = None, target: str = "") -> None:
        desk = _desk()
        if lab is None:
            lab = desk.lab()
        known = desk.known_lab
        # A picker of another lab says nothing about where %%fpga's designs go.
        self._desk = desk if known is None or known.url == lab.url else None
        if board is None and self._desk is not None:
            board = self._desk.picked
        self._boards = list(lab.boards())
        super().__init__(lab, board=board, target=target)
        self._put_down()
        self.observe(lambda change: self._put_down(), "board")

    def _put_down(self) -> None:
        if self._desk is not None:
            self._desk.picked = self.board

    def _rows(self) -> list[list[str]]:
        boards = [board for board in self._boards if self.target in ("", board["target"])]
        rows = [["any", "", "", _mark(self.board is None)]]
        for board in boards:
            number = board["fpga_id"]
            rows.append([str(number), board["target"], ", ".join(board["tags"]), _mark(self.board == number)])
        return rows

    _HEADS = ("board", "target", "tags", "picked")

    def text(self) -> str:
        return text_table(self._HEADS, self._rows())

    def html(self) -> str:
        return html_table(self._HEADS, self._rows())


def _mark(picked: bool) -> str:
    return "✓" if picked else ""


def _desk() -> Desk:
    """What the magics of this kernel have on their desk; a desk of one's own where they aren't loaded."""
    shell: Any = get_ipython()
    magics = None if shell is None else shell.magics_manager.registry.get("FpgaMagics")
    return Desk() if magics is None else magics.desk
