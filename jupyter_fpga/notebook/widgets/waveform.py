"""Signals over time that can be zoomed, measured and searched."""

import zlib
from functools import cached_property
from typing import Any

from jupyter_fpga.waveform import Waveform

from ._view import STATIC, View

__all__ = ("WaveformView",)

#: Of a message, bytes: what stands between a kernel and a browser, such as a gateway, passes on WebSocket messages of
#: up to 10 MiB (tornado's own default).
MOST = 4_000_000

_VIEW = STATIC / "parts" / "waveform.js"

#: zlib's fastest: counters and clocks shrink to a hundredth with any, and noise with none.
_LEVEL = 1


class WaveformView(View):
    """A waveform, drawn on a canvas as far as one looks.

    Its signals are no traits, which would be saved with the notebook: the browser asks for them, piece by piece
    (``{"ask": 0}``), and gets messages with a buffer (``{"piece": 0, "pieces": 3}``) that together are what
    :mod:`jupyter_fpga.waveform.packed` describes, compressed by zlib. The first has the view's own module as a second
    buffer, compressed likewise: ``_esm``, of which a notebook gets a copy with every waveform, only asks for them.

    Parameters
    ----------
    waveform
        What is shown. It isn't to be changed any more.
    """

    _esm = STATIC / "waveform.js"

    def __init__(self, waveform: Waveform) -> None:
        super().__init__()
        self.waveform = waveform
        self.on_msg(self._answer)

    def text(self) -> str:
        return repr(self.waveform)

    def html(self) -> str:
        return self.waveform._repr_html_()

    @cached_property
    def _pieces(self) -> list[bytes]:
        packet = zlib.compress(self.waveform.packed(), _LEVEL)
        return [packet[start : start + MOST] for start in range(0, len(packet), MOST)]

    def _answer(self, _: Any, content: Any, buffers: list[Any]) -> None:
        piece = content.get("ask")
        if isinstance(piece, int) and 0 <= piece < len(self._pieces):
            code = [zlib.compress(_VIEW.read_bytes())] if piece == 0 else []
            self.send({"piece": piece, "pieces": len(self._pieces)}, [self._pieces[piece], *code])
