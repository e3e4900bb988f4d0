"""Commands about the health of boards: ``health``, and the doctor's look at one of them."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from traitlets import Int

from jupyter_fpga.client.arguments import board_number
from jupyter_fpga.client.lab import LabClient
from jupyter_fpga.client.listing import HEALTH_COLUMNS
from jupyter_fpga.client.tables import Table, text_table
from jupyter_fpga.compute.builds.catalog import Catalog, TargetInfo
from jupyter_fpga.fpga.usb.udev import udev_rules

from . import exits
from .base import ALIASES, LAB_ALIASES, LabCommand, merged
from .settings import Read

__all__ = ("HealthApp", "examine_board", "rules")


class HealthApp(LabCommand):
    """Show how a board is, and what it has gone through: failures, resets, quarantines, the newest first."""

    name = "jupyter-fpga health"
    description = __doc__
    aliases = merged({**ALIASES, **LAB_ALIASES, "board": "HealthApp.board", "limit": "HealthApp.limit"})

    board = Read(board_number, help="Which board; yours, while you hold only one, without.").tag(config=True)
    limit = Int(20, min=1, max=1000, help="How many entries.").tag(config=True)

    def run(self, words: list[str]) -> None:
        lab = self.lab()
        found = lab.board_health(lab.board().fpga_id if self.board is None else self.board, limit=self.limit)
        entries = Table(found["history"], HEALTH_COLUMNS)
        reason = f": {found['reason']}" if found["reason"] else ""
        head = f"board {found['fpga_id']} is {found['state']}, its health {found['health']}{reason}"
        self.show(found, f"{head}\n\n{entries}" if entries else head)


def examine_board(command: LabCommand, lab: LabClient, fpga_id: int) -> None:
    """Have the lab walk the chain on a board, and show what it finds; the exit code is 1 when a link is broken."""
    found = lab.examine(fpga_id)
    rows = [[check["state"], check["link"].replace("_", " "), check["found"]] for check in found["checks"]]
    command.show(found, f"{text_table(['', 'link', 'found'], rows)}\n\n{found['verdict']}")
    if found["broken"] is not None:
        raise SystemExit(exits.FAILED)


def rules(load: Callable[[], Awaitable[Mapping[str, TargetInfo]]] = Catalog.load) -> str:
    """The udev rules for every target."""

    async def known() -> Mapping[str, TargetInfo]:
        return await load()

    targets = asyncio.run(known())
    return udev_rules(each for target in targets.values() if target.programmer for each in target.programmer.usb)
