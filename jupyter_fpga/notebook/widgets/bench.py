"""The bench: what stands round a simulated board, to look at and to touch."""

import traitlets

from jupyter_fpga.client import BoardHandle
from jupyter_fpga.gateware.manifest import Manifest

from ._view import STATIC, View

__all__ = ("BenchView",)


class BenchView(View):
    """LEDs as bright as an eye would see them, buttons, switches and the console, as far as the design uses them.

    Board time runs as long as somebody looks.

    Parameters
    ----------
    board
        A simulated board. Until its job is complete, this waits for it.
    """

    _esm = STATIC / "bench.js"

    name = traitlets.Unicode().tag(sync=True)
    fpga_id = traitlets.Int().tag(sync=True)
    leds = traitlets.Int().tag(sync=True)
    buttons = traitlets.Int().tag(sync=True)
    switches = traitlets.Int().tag(sync=True)
    console = traitlets.Bool().tag(sync=True)

    def __init__(self, board: BoardHandle) -> None:
        manifest = board.ready().manifest
        self._board = board
        super().__init__(
            board.lab,
            name=board.name or "board",
            fpga_id=board.fpga_id,
            leds=_used(manifest, "led", "leds"),
            buttons=_used(manifest, "button", "buttons"),
            switches=_used(manifest, "switch", "switches"),
            console=any(pin.resource == "uart" for pin in manifest.pins),
        )

    def text(self) -> str:
        return repr(self._board)

    def html(self) -> str:
        return self._board._repr_html_()


def _used(manifest: Manifest, *resources: str) -> int:
    return max((pin.width for pin in manifest.pins if pin.resource in resources), default=0)
