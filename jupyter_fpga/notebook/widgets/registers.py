"""The register panel: a board's registers, live, each with what it is set by."""

from typing import Any

import traitlets

from jupyter_fpga.client import BoardHandle
from jupyter_fpga.client.register_tables import elements

from ._view import STATIC, View

__all__ = ("RegisterPanel",)


class RegisterPanel(View):
    """The registers of a programmed board.

    Its browser side reads them ten times a second while somebody looks, those without side effects, and writes them
    as fast as a slider is moved, over the lab's own WebSocket.

    Parameters
    ----------
    board
        The board. Until its job is complete, this waits for it.
    """

    _esm = STATIC / "registers.js"

    name = traitlets.Unicode().tag(sync=True)
    fpga_id = traitlets.Int().tag(sync=True)
    #: Digest of the design that the registers are of.
    design = traitlets.Unicode().tag(sync=True)
    registers: traitlets.List[Any] = traitlets.List().tag(sync=True)

    def __init__(self, board: BoardHandle) -> None:
        manifest = board.ready().manifest
        self._regs = board.regs
        every: list[dict[str, Any]] = [
            {**element.to_json(), "reset": str(element.reset)}
            for register in manifest.registers
            for element in elements(register)
        ]
        super().__init__(
            board.lab,
            name=board.name or "board",
            fpga_id=board.fpga_id,
            design=manifest.digest,
            registers=every,
        )

    def text(self) -> str:
        return repr(self._regs)

    def html(self) -> str:
        return self._regs._repr_html_()
