"""The lab's own SoC with an open window: its Verilog, and what is on its bus while nothing is in the window."""

import contextlib
import io
import logging
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jupyter_fpga.gateware.csr import csr_map
from jupyter_fpga.gateware.manifest import Analyzer, Manifest, Window
from jupyter_fpga.gateware.targets import Target

__all__ = ("analyzer_of", "describe_base", "elaborate_base", "elaborate_phy")


def describe_base(target: Target, clock_hz: int, identifier: str, work: Path) -> None:
    """What is on the idle board's bus: the lab's own control registers, and a window with nothing in it."""
    manifest = Manifest(
        target=target.name,
        form="base",
        top="lab_base",
        clock_hz=clock_hz,
        baud=target.baud(clock_hz),
        fifo_depth=target.fifo_depth,
        answer_depth=target.answer_depth,
        window=Window(target.window.base, 0),
        control=target.control,
        identifier=identifier,
    )
    csr = csr_map(manifest)
    (work / "manifest.json").write_text(manifest.dumps(), "utf-8")
    (work / "csr.json").write_text(csr.to_json(), "utf-8")
    (work / "csr.csv").write_text(csr.to_csv(), "utf-8")


def analyzer_of(request: Mapping[str, Any]) -> Analyzer | None:
    """The analyzer that the base shall have: ``{"width", "depth"}`` of the request, or none."""
    wanted = request.get("analyzer")
    return Analyzer(int(wanted["width"]), int(wanted["depth"])) if wanted else None


def elaborate_base(target: Target, clock_hz: int, analyzer: Analyzer | None = None) -> tuple[str, dict[str, str]]:
    """The base SoC in Verilog, without dates, and the contents of its memories."""
    with _silence():
        from jupyter_fpga.gateware.labsoc import LabSoC, check_control

        soc = LabSoC(sys_clk_freq=clock_hz, target=target.name, window=True, analyzer=analyzer)
        soc.finalize()
        check_control(soc)
        if analyzer is not None:
            from jupyter_fpga.gateware._analyzer import check_analyzer

            check_analyzer(soc, analyzer)
        output: Any = soc.platform.get_verilog(soc, name="lab_base")
    return _without_comments(output.main_source), dict(output.data_files)


def elaborate_phy(target: Target, clock_hz: int) -> str:
    """The serial line's PHY of a simulated board in Verilog: the module ``lab_phy``, beside the base."""
    with _silence():
        from litex.gen.fhdl.verilog import convert

        from jupyter_fpga.gateware.labsoc import LabPhy

        module = LabPhy(clock_hz, target.baud(clock_hz))
        output: Any = convert(module, ios=module.ports, name="lab_phy")
    return _without_comments(output.main_source)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """LiteX describes what it builds at length; nobody asked."""
    logging.root.addHandler(logging.NullHandler())
    with contextlib.redirect_stdout(io.StringIO()):
        yield


def _without_comments(verilog: str) -> str:
    return re.sub(r"^//.*$", "", verilog, flags=re.MULTILINE)
