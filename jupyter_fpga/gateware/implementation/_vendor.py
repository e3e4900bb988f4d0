"""A design to a bitstream by the toolchain of the device's vendor, as LiteX runs it.

The environment's ``VENDOR_PATH`` is the folder of its programs, where that isn't on ``PATH``.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.targets import Target
from jupyter_fpga.gateware.targets._litex import PREFIX, Board, read_board
from jupyter_fpga.gateware.targets._litex_device import VENDORS

from ._tools import inside

__all__ = ("build",)

_NAME = "lab"
_FOLDER = "build"


def build(target: Target, work: Path) -> None:
    """Make ``placed``, the bitstream, of the Verilog in ``design.json``, and ``report.json``.

    The report has no figures: they are in the toolchain's own reports, in the folder ``build``.

    Raises
    ------
    DesignError
        ``missing_tool``: the toolchain isn't there; ``vendor_failed``: it ended with an error, or without a bitstream.
    """
    assert target.device is not None
    vendor = VENDORS[target.device.vendor]
    if place := os.environ.get("VENDOR_PATH"):
        # LiteX and the toolchain's own scripts look for its programs on PATH.
        os.environ["PATH"] = f"{place}:{os.environ.get('PATH', os.defpath)}"
    if shutil.which(vendor.program) is None:
        raise DesignError(
            f"Bitstreams for the target {target.name} are made by {vendor.title}, whose program {vendor.program} isn't "
            "there; install it, put it on PATH, and start the lab again.",
            code="missing_tool",
        )
    (work / "design.v").write_text(json.loads((work / "design.json").read_text("utf-8"))["verilog"], "utf-8")
    with open(work / "vendor.log", "wb") as log, inside(work, log.fileno()):
        board = read_board(target.name.removeprefix(PREFIX))
        failure = _run(board, work / "design.v")
    bitstream = None if failure else _bitstream(board, work / _FOLDER)
    if bitstream is None:
        said = (work / "vendor.log").read_text("utf-8", "replace")
        reason = _complaint(said) or failure or "it ended without one"
        raise DesignError(f"{vendor.title} can't make a bitstream of the design: {reason}.", code="vendor_failed")
    shutil.copyfile(bitstream, work / "placed")
    report: dict[str, Any] = {"utilization": {}, "clocks": {}, "tool_warnings": []}
    (work / "report.json").write_text(json.dumps(report, indent=2) + "\n", "utf-8")


def _run(board: Board, source: Path) -> str | None:
    """Have LiteX write the toolchain's project and run it; why that failed, if it did."""
    from ._vendor_top import top_of

    top = top_of(board)
    board.platform.add_source(str(source))
    try:
        board.platform.build(top, build_dir=_FOLDER, build_name=_NAME, run=True)
    except OSError as error:
        return str(error).strip().rstrip(".")
    return None


def _bitstream(board: Board, folder: Path) -> Path | None:
    extension = board.platform.get_bitstream_extension(mode="sram")
    found = sorted(folder.rglob(f"*{extension}"))
    return next((path for path in found if path.name == f"{_NAME}{extension}"), found[0] if found else None)


def _complaint(log: str) -> str | None:
    """The first error that the toolchain tells of, which LiteX may have coloured."""
    log = re.sub(r"\x1b\[[\d;]*m", "", log)
    match = re.search(r"^\s*(?:ERROR|Error)\b[^:\n]*:\s*(.+)$", log, re.MULTILINE)
    return match[1].strip().rstrip(".") if match else None
