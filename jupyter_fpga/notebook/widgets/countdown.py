"""The countdown of a board session."""

import html

import traitlets

from jupyter_fpga.client import BoardHandle

from ._view import STATIC, View

__all__ = ("SessionCountdown",)


class SessionCountdown(View):
    """How long one still has a board, with Renew and Release, and what became of the session when it has ended.

    Its browser side asks the lab once, and again when the lab tells that the board or its session is otherwise; the
    clock runs by itself. The static form tells no time, which would be another in every run.

    Parameters
    ----------
    board
        The board. Until its job is complete, this waits for it.
    """

    _esm = STATIC / "countdown.js"

    name = traitlets.Unicode().tag(sync=True)
    fpga_id = traitlets.Int().tag(sync=True)

    def __init__(self, board: BoardHandle) -> None:
        board.ready()
        super().__init__(board.lab, name=board.name or "board", fpga_id=board.fpga_id)

    def text(self) -> str:
        return f"{self.name} has a board for a limited time; `%fpga status` shows how long."

    def html(self) -> str:
        return f"<div>{html.escape(self.text())}</div>"
