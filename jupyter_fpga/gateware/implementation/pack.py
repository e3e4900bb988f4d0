"""The step ``pack``: what nextpnr has placed, as the bytes that a device takes. What a vendor's tools made, is that.

In the current folder: ``placed`` and ``request.json`` with ``target``. Out of it comes ``bitstream``.
"""

import json
import shutil
from pathlib import Path

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import find_target

from ._families import FAMILIES
from ._tools import Failed, run_tool

__all__ = ("run",)


def run(work: Path) -> None:
    """Run the step in the folder ``work``.

    Raises
    ------
    DesignError
        ``packing_failed``.
    """
    target = find_target(json.loads((work / "request.json").read_text("utf-8"))["target"])
    assert target.device is not None
    if target.device.family == "vendor":
        shutil.copyfile(work / "placed", work / "bitstream")
        return
    flow = FAMILIES[target.device.family]
    try:
        run_tool(flow.packer, flow.pack(target.device), work=work, log="pack.log")
    except Failed as failed:
        last = [line for line in failed.log.splitlines() if line.strip()][-1:] or ["it said nothing"]
        raise DesignError(
            f"{failed.tool} can't make a bitstream of the design: {last[0].rstrip('.')}.", code="packing_failed"
        ) from failed
