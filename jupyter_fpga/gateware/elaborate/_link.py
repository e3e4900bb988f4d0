"""Joins generated netlists with a bundle's Verilog, and reads from Yosys what is wrong with the result."""

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import DesignWarning
from jupyter_fpga.gateware.targets import Target

from ._netlist import Language, own_places
from ._scratch import scratch_folder
from ._source import Source
from ._yosys import Yosys, quoted

__all__ = ("LineOf", "Linked", "link", "read_commands")

#: Gives the line where a signal is named in the person's text.
LineOf = Callable[[str], int | None]


@dataclass
class Linked:
    """One netlist of everything, and what Yosys had to say about it."""

    netlist: str
    warnings: list[DesignWarning] = field(default_factory=list)


def read_commands(source: Source) -> list[str]:
    """Yosys commands that read the bundle's Verilog."""
    return [f"read_verilog -sv -defer {quoted(name)}" for name in source.verilog_files()]


def link(
    netlist: str,
    source: Source,
    target: Target,
    *,
    language: Language = "rtlil",
    lines: LineOf = lambda name: None,
    data_files: Mapping[str, str] = MappingProxyType({}),
    more_sources: Sequence[str] = (),
    top: str = "lab_window",
) -> Linked:
    """The module ``top`` in ``netlist`` together with the Verilog that it uses, as one RTLIL netlist.

    Parameters
    ----------
    lines
        Where names are, for a netlist that doesn't say where it comes from.
    data_files
        Contents of memories that the netlist reads by name.
    more_sources
        Verilog files outside of the bundle: those that come with LiteX's cores.

    Raises
    ------
    DesignError
        ``multiple_drivers``, ``combinational_loop``, ``undriven_output``, ``derived_clock``,
        or what :meth:`.Yosys.run` raises.
    """
    with scratch_folder() as scratch:
        yosys = Yosys(source, scratch)
        for name, content in data_files.items():
            (scratch / name).write_text(content, "utf-8")
            netlist = netlist.replace(f'"{name}"', f'"{yosys.path(name)}"')
        name = "window.il" if language == "rtlil" else "window.v"
        (scratch / name).write_text(netlist, "utf-8")
        read = "read_rtlil" if language == "rtlil" else "read_verilog -sv"
        log = yosys.run(
            [
                *read_commands(source),
                *_outside(more_sources, source, yosys),
                f"{read} {yosys.path(name)}",
                f"hierarchy -check -top {top}",
                # Its last step would simplify away a loop such as `x = ~x`, and leave a signal without a driver.
                "proc -noopt",
                "check",
                "opt_expr -keepdc",
                f"write_rtlil {yosys.path('linked.il')}",
                "flatten",
                "opt_clean",
                f"write_rtlil {yosys.path('flat.il')}",
            ]
        )
        if not target.implemented:
            _check_clocks((scratch / "flat.il").read_text("utf-8"), top, source, target, lines)
        # Yosys names what it makes by the place it comes from; the scratch folder's is another one every time.
        text = (scratch / "linked.il").read_text("utf-8").replace(f"${yosys.folder}", "$")
    text = own_places(re.sub(r"\A#.*\n", "", text), source)
    return Linked(text, _problems(log, text, source, lines))


def _check_clocks(flat: str, top: str, source: Source, target: Target, lines: LineOf) -> None:
    """Refuse registers on a clock that the design makes itself; see :func:`._clocks.derived_clock` for the reason."""
    for cell in re.findall(r"^  cell \$\S+ .*?^  end$", flat, re.M | re.S):
        clock = re.search(r"^    connect \\(?:CLK|RD_CLK|WR_CLK) (\S+)", cell, re.M)
        if clock and clock[1] != "\\clk" and "'" not in clock[1]:
            name = _plain(clock[1])
            place = _place(flat, top, clock[1], source, lines)
            raise _error(
                f"The signal {name} is made by the design itself and used as a clock, and the target {target.name} "
                "knows one clock only; use clk with an enable.",
                "derived_clock",
                place,
                source,
            )


def _outside(files: Sequence[str], source: Source, yosys: Yosys) -> list[str]:
    """Commands that read files from elsewhere, of which Yosys gets copies."""
    commands = []
    for index, file in enumerate(files):
        if source.own_name(file) is None:
            name = f"core{index}{Path(file).suffix}"
            shutil.copyfile(file, yosys.scratch / name)
            commands.append(f"read_verilog -sv -defer {yosys.path(name)}")
    return commands


def _problems(log: str, netlist: str, source: Source, lines: LineOf) -> list[DesignWarning]:
    """Raise what makes the netlist no circuit; return what is only suspicious."""
    _, _, report = log.rpartition("Executing CHECK pass")
    conflict = re.search(r"^Warning: multiple conflicting drivers for (\S+?)\.(\S+)", report, re.M)
    if conflict:
        place = _place(netlist, conflict[1], conflict[2].rstrip(":"), source, lines)
        name = _plain(conflict[2].rstrip(":"))
        raise _error(
            f"The signal {name} is driven from more than one place; drive it from one only.",
            "multiple_drivers",
            place,
            source,
        )
    loop = re.search(r"^Warning: found logic loop in module (\S+):\n((?: +.*\n)+)", report, re.M)
    if loop:
        raise _loop(loop[2], source, lines)
    warnings = []
    for module, signal in re.findall(
        r"^Warning: Wire (\S+?)\.(\S+)(?: \[\S+\])? is used but has no driver", report, re.M
    ):
        file, line = _place(netlist, module, signal, source, lines)
        if file is None:
            continue
        if re.search(rf"^  wire .*output \d+.* {re.escape(signal)}$", _module(netlist, module), re.M):
            message = f"Nothing drives the output {_plain(signal)}; assign to it."
            raise _error(message, "undriven_output", (file, line), source)
        warnings.append(DesignWarning(f"Nothing drives the signal {_plain(signal)}, which is used.", file, line))
    return list(dict.fromkeys(warnings))


def _loop(report: str, source: Source, lines: LineOf) -> DesignError:
    """The error for a loop: ``report`` has a line for each cell, with its source, and each wire on the way."""
    names = list(dict.fromkeys(_plain(name) for name in re.findall(r"wire (\S+)", report)))
    found = re.search(r"source: (\S+?:\d+)", report)
    place = source.place(found[1]) if found else (None, None)
    if place[0] is None:
        line = next((line for name in names if (line := lines(name))), None)
        place = (source.entry if line else None, line)
    path = f", {' → '.join([*names, names[0]])}" if names else ""
    return _error(
        f"The design has a combinational loop{path}; put a register somewhere into it.",
        "combinational_loop",
        place,
        source,
    )


def _error(message: str, code: str, place: tuple[str | None, int | None], source: Source) -> DesignError:
    file, line = place
    text = source.line_text(file, line) if file else None
    return DesignError(message, code=code, file=file, line=line, text=text)


def _plain(name: str) -> str:
    return name.lstrip("\\").split(".")[-1]


def _module(netlist: str, module: str) -> str:
    found = re.search(rf"^module \\?{re.escape(module)}\n.*?^end\n", netlist, re.M | re.S)
    return found[0] if found else ""


def _place(netlist: str, module: str, signal: str, source: Source, lines: LineOf) -> tuple[str | None, int | None]:
    """Where a wire is declared, if that is in the person's text."""
    body = _module(netlist, module)
    declared = re.search(
        rf'^  attribute \\src "([^"]*)"\n(?:  attribute .*\n)*  wire .*{re.escape(signal)}$', body, re.M
    )
    file, line = source.place(declared[1]) if declared else (None, None)
    if file is None and (known := lines(_plain(signal))):
        return source.entry, known
    return file, line
