"""Form 5: a Verilog module with ``clk``, whose other ports are as in forms 1 and 2."""

import json
import re
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import ClockSignal, Const, Elaboratable, Instance, Module, ResetSignal, Signal

from jupyter_fpga.gateware.errors import DesignError
from jupyter_fpga.gateware.manifest import DesignWarning, Pin

from ._checks import fragment_of
from ._docs import verilog_comment
from ._layout import lay_out
from ._link import link, read_commands
from ._netlist import Outcome, own_places
from ._ports import Port, check_names, flat_wishbone, wire_up
from ._request import Request
from ._scratch import scratch_folder
from ._source import Source
from ._window import Window, window_rtlil
from ._yosys import Yosys

__all__ = ("elaborate_verilog",)

#: Names that other people give to a reset. The lab's is called ``rst``.
_RESETS = ("reset", "resetn", "reset_n", "rst_n", "rstn", "arst", "arst_n", "areset")


@dataclass
class _Module:
    """A module as Yosys describes it."""

    name: str
    ports: dict[str, Any]
    nets: dict[str, Any]
    parameters: list[str]
    line: int | None
    in_entry: bool
    uses: set[str]
    driven: set[int | str]


def elaborate_verilog(source: Source, request: Request) -> Outcome:
    """Find the module, see what ports it has with the person's parameters, and put the window around it.

    Raises
    ------
    DesignError
        What :mod:`jupyter_fpga.gateware.elaborate` lists.
    """
    source.text()
    modules = _modules(source, [])
    top = _top(modules, request.top, source)
    parameters = _parameters(top, request.params)
    if parameters:
        values = " ".join(f"-chparam {name} {_literal(name, value)}" for name, value in parameters.items())
        changed = _modules(source, [f"hierarchy -top {top.name} {values}"])
        derived = _derived(changed, top.name)
        top.ports, top.nets, top.driven = derived.ports, derived.nets, derived.driven
    warnings: list[DesignWarning] = []
    ports = _ports(top, source, warnings)
    first, others = flat_wishbone(ports, request.target, source)
    check_names(others, [], source)
    wired = wire_up(others, request.target, source)
    layout = lay_out(others, [], request.target, pins={item.port.name for item in wired}, first=first)
    window = Window(_Instance(top, ports, parameters), layout, wired, request.target)
    linked = link(own_places(window_rtlil(window.prepared(fragment_of(window))), source), source, request.target)
    return Outcome(
        netlist=linked.netlist,
        language="rtlil",
        form="verilog",
        top=top.name,
        window_size=layout.size,
        registers=[register for _, register in layout.registers],
        memories=[memory for _, memory in layout.buses],
        pins=[Pin(item.resource.name, item.port.name, item.wire.direction, item.wire.width) for item in wired],
        warnings=warnings + linked.warnings,
    )


class _Instance(Elaboratable):  # type: ignore[misc]
    """The module with its ports on the signals of the window."""

    def __init__(self, top: _Module, ports: list[Port], parameters: dict[str, Any]) -> None:
        self._top = top
        self._ports = ports
        self._parameters = parameters

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        connections: dict[str, Any] = {
            f"p_{name}": Const(int(value)) if isinstance(value, bool) else value
            for name, value in self._parameters.items()
        }
        connections["i_clk"] = ClockSignal()
        if "rst" in self._top.ports:
            connections["i_rst"] = ResetSignal()
        connections |= {f"{port.direction}_{port.name}": port.values[0] for port in self._ports}
        m.submodules.design = Instance(self._top.name, **connections)
        return m


def _modules(source: Source, more: list[str]) -> dict[str, _Module]:
    """The bundle's modules, with their default parameters unless ``more`` commands change them."""
    with scratch_folder() as scratch:
        yosys = Yosys(source, scratch)
        read = (
            [command.replace(" -defer", "") for command in read_commands(source)] if not more else read_commands(source)
        )
        yosys.run([*read, *more, "proc -noopt", f"write_json {yosys.path('modules.json')}"])
        described = json.loads((scratch / "modules.json").read_text("utf-8"))["modules"]
    return {name: _module(name, data, source) for name, data in described.items()}


def _module(name: str, data: dict[str, Any], source: Source) -> _Module:
    file, line = source.place(data["attributes"].get("src"))
    driven: set[int | str] = {"0", "1"}
    for cell in data["cells"].values():
        for port, bits in cell["connections"].items():
            if cell.get("port_directions", {}).get(port) != "input":
                driven.update(bits)
    for port in data["ports"].values():
        if port["direction"] == "input":
            driven.update(port["bits"])
    return _Module(
        name=name,
        ports=data["ports"],
        nets=data["netnames"],
        parameters=sorted(data.get("parameter_default_values", {})),
        line=line,
        in_entry=file == source.entry,
        uses={cell["type"] for cell in data["cells"].values()},
        driven=driven,
    )


def _derived(modules: dict[str, _Module], name: str) -> _Module:
    """The module that a change of parameters made of ``name``."""
    for found, module in modules.items():
        if found == name or re.search(rf"\\{re.escape(name)}(?:\\|$)", found):
            return module
    raise RuntimeError(f"Yosys made no module of {name!r}; it has {', '.join(modules)}.")


def _top(modules: dict[str, _Module], wanted: str | None, source: Source) -> _Module:
    mine = [module for module in modules.values() if module.in_entry]
    fitting = [module for module in mine if "clk" in module.ports]
    used = {name for module in modules.values() for name in module.uses}
    offer = ", ".join(f"{module.name} (line {module.line})" for module in fitting) or "none with an input clk"
    if wanted:
        if wanted not in modules:
            raise DesignError(
                f"The design has no module {wanted!r} that could be its top; it has {offer}.", code="top_not_found"
            )
        return _checked(modules[wanted], source)
    for name in ("top", "Top"):
        if name in modules:
            return _checked(modules[name], source)
    free = [module for module in fitting if module.name not in used]
    if len(free) == 1:
        return free[0]
    if not free and mine:
        return _checked(next((module for module in mine if module.name not in used), mine[0]), source)
    if not free:
        raise DesignError(f"The design has no top; {source.entry} defines no module.", code="no_top")
    offer = ", ".join(f"{module.name} (line {module.line})" for module in free)
    raise DesignError(
        f"The design has several possible tops: {offer}; call one of them top, or say which with --top {free[0].name}.",
        code="several_tops",
        file=source.entry,
        line=free[-1].line,
    )


def _checked(module: _Module, source: Source) -> _Module:
    if module.ports.get("clk", {}).get("direction") != "input":
        raise DesignError(
            f"The module {module.name} has no input clk; the lab gives a design its clock by that name.",
            code="top_unfit",
            file=source.entry if module.in_entry else None,
            line=module.line if module.in_entry else None,
        )
    return module


def _parameters(top: _Module, params: dict[str, Any]) -> dict[str, Any]:
    values = {}
    for name, value in params.items():
        if name not in top.parameters:
            has = f"it has {', '.join(top.parameters)}" if top.parameters else "it has none"
            raise DesignError(f"The module {top.name} has no parameter {name!r}; {has}.", code="unknown_param")
        is_number = isinstance(value, str) and re.fullmatch(r"-?(0x[0-9a-fA-F]+|\d+)", value)
        values[name] = int(value, 0) if is_number else value
    return values


def _literal(name: str, value: Any) -> str:
    """A parameter's value in a Yosys script."""
    if isinstance(value, bool | int):
        return f"{int(value)}"
    if isinstance(value, str) and re.fullmatch(r"[\w .,:+-]*", value):
        return f'"{value}"'
    raise DesignError(
        f"The parameter {name} can't be {value!r}; a parameter of a Verilog module is a whole number or a short text.",
        code="bad_param",
    )


def _ports(top: _Module, source: Source, warnings: list[DesignWarning]) -> list[Port]:
    return [
        _port(top, name, data, source, warnings)
        for name, data in top.ports.items()
        if not (name in ("clk", "rst") and data["direction"] == "input" and len(data["bits"]) == 1)
    ]


def _port(top: _Module, name: str, data: dict[str, Any], source: Source, warnings: list[DesignWarning]) -> Port:
    attributes = top.nets.get(name, {}).get("attributes", {})
    file, line = source.place(attributes.get("src"))
    text = source.line_text(file, line) if file else None
    is_input = data["direction"] == "input"
    if data["direction"] == "inout":
        raise DesignError(
            f"The port {name} is inout, which the lab doesn't take; give the design an input and an output.",
            code="not_supported",
            file=file,
            line=line,
        )
    if name in _RESETS and is_input:
        warnings.append(DesignWarning(f"The port {name} is a register; the board's reset is called rst.", file, line))
    if not is_input and "init" not in attributes:
        missing = [index for index, bit in enumerate(data["bits"]) if bit not in top.driven]
        if len(missing) == len(data["bits"]):
            raise DesignError(
                f"Nothing drives the output {name}; assign to it.", code="undriven_output", file=file, line=line
            )
        if missing:
            bits = ", ".join(map(str, missing))
            warnings.append(DesignWarning(f"Nothing drives bits {bits} of the output {name}.", file, line))
    width = len(data["bits"])
    init = str(attributes.get("init", "0"))
    return Port(
        name,
        "i" if is_input else "o",
        width,
        [Signal(width, name=name)],
        signed=bool(data.get("signed")),
        init=0 if is_input else int(init.replace("x", "0").replace("z", "0"), 2),
        doc=verilog_comment(text or ""),
        line=line,
    )
