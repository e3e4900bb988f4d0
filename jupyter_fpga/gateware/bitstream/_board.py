"""The few lines of C++ that make a board out of a netlist whose pins have the names of ``lab_top``'s ports."""

from jupyter_fpga.gateware.implementation._shell import pad_names
from jupyter_fpga.gateware.simulation._cxxrtl import HOT, MORE, part_condition
from jupyter_fpga.gateware.targets import Target

from ._netlist import Netlist
from ._program import Program

__all__ = ("START_CYCLES", "board_source")

#: Pads that the outside drives, by the member of Inputs.
_INPUTS = {
    "serial_rx": "serial_rx",
    "console_rx": "console_rx",
    "buttons": "buttons",
    "switches": "switches",
    "pmod": "pmod",
}
#: Pads that the board drives, by the member of Outputs.
_OUTPUTS = {"serial_tx": "serial_tx", "console_tx": "console_tx", "busy": "busy", "leds": "leds", "pmod": "pmod"}

#: Clock cycles after configuration before anybody looks: the SoC's reset, and some.
START_CYCLES = 32

#: How long block RAMs read as zero, us.
_ASLEEP_US = 1

_BOARD = """\
class Chip : public Board {{
 public:
  void power_up(const char *) override {{
    fabric.configure(kContents);
    cycles = 0;
    out = Outputs();
    apply(in);
    applied = in;
    for (int cycle = 0; cycle < {start}; cycle++) {{
      if (cycle == {asleep}) fabric.s.awake = true;
      rise();
      fall();
    }}
    out = outputs();
  }}
  void signals(Signals &to, bool around) override {{
    if (around) return;
    for (size_t index = 0; index < kSignals; index++) to.add(kNames[index], shown + index, 1, 0, false);
    derive();
  }}
  void derive() override {{
    S &s = fabric.s;
{derive}
  }}
  uint64_t run(uint64_t limit) override {{ return advance(*this, limit); }}

  void apply(const Inputs &levels) {{
    S &s = fabric.s;
{apply}
    fabric.settle();
  }}
  void rise() {{
    S &s = fabric.s;
    {high}
    fabric.edge(0);
    fabric.settle();
  }}
  void fall() {{
    S &s = fabric.s;
    {low}
    {falling}
  }}
  // Never at rest: the SoC counts its cycles.
  uint64_t rest(uint64_t) {{ return 0; }}
  const Outputs &outputs() const {{ return fabric.s.out; }}

 private:
  Fabric<Sizes> fabric{{kClusters, kClocks}};
  uint32_t shown[kSignals + 1];
}};
"""


def board_source(netlist: Netlist, program: Program, target: Target, clock_hz: int) -> str:
    """``design.cc``.

    Parameters
    ----------
    target
        Whose pins these are.
    clock_hz
        System clock, Hz: how many cycles the first microsecond has.
    """
    signals = program.signals
    names = ", ".join(f'"{name}"' for name, _ in signals)
    levels = _rest(target) | {
        pad: f"levels.{member} >> {index or 0} & 1u{' ^ 1u' if port in _active_low(target) else ''}"
        for port, member in _INPUTS.items()
        for pad, index in _pads(netlist, port)
    }
    apply = [program.input(pad, level) for pad, level in levels.items()]
    board = _BOARD.format(
        start=START_CYCLES,
        asleep=-(-clock_hz * _ASLEEP_US // 1_000_000),
        derive="\n".join(f"    shown[{index}] = {value};" for index, (_, value) in enumerate(signals)),
        apply="\n".join(f"    {line}" for line in apply if line),
        high=program.input("pad_clk", "1u"),
        low=program.input("pad_clk", "0u"),
        falling="fabric.edge(1);\n    fabric.settle();" if program.has_falling else "",
    )
    functions = program.functions()
    half = len(functions) // 2
    space = "namespace lab {\nnamespace fabric {\n", "}  // namespace fabric\n}  // namespace lab\n"
    return "".join(
        (
            '#include "fabric.h"\n',
            space[0] + program.declarations() + space[1],
            # Two halves, to be compiled side by side.
            part_condition(HOT) + space[0],
            *functions[:half],
            _pads_function(netlist, program, target) + program.tables(),
            f"constexpr size_t kSignals = {len(signals)};\nconst char *const kNames[] = {{{names or 'nullptr'}}};\n",
            board + space[1],
            "namespace lab {\nBoard *make_board() { return new fabric::Chip; }\n}  // namespace lab\n",
            '#include "identifier.h"\n',
            part_condition(MORE) + space[0],
            *functions[half:],
            space[1] + "#endif\n",
        )
    )


def _pads(netlist: Netlist, port: str) -> list[tuple[str, int | None]]:
    """Pads of a port, and their bit in it; None for a port of one bit."""
    alone = f"pad_{port}"
    if alone in netlist.pads:
        return [(alone, None)]
    numbered = [(f"{alone}_{index}", index) for index in range(8)]
    return [(pad, index) for pad, index in numbered if pad in netlist.pads]


def _active_low(target: Target) -> set[str]:
    """Ports whose pins are low when they are 1."""
    return {pads.port for pads in target.pads() if pads.active_low}


def _rest(target: Target) -> dict[str, str]:
    """Levels of pins that nobody touches: a design sees 0."""
    return {
        name.replace("[", "_").rstrip("]"): f"{int(pads.active_low)}u"
        for pads in target.pads()
        for name in pad_names(pads)
    }


def _pads_function(netlist: Netlist, program: Program, target: Target) -> str:
    inverted = _active_low(target)
    lines = []
    for port, member in _OUTPUTS.items():
        terms, enables = [], []
        for pad, index in _pads(netlist, port):
            if pad not in netlist.drivers:
                continue
            level, enable = (program.value(bit) for bit in netlist.drivers[pad])
            if port in inverted:
                level = f"({level} ^ 1u)"
            terms.append(f"({level} & {enable}) << {index or 0}")
            enables.append(f"{enable} << {index or 0}")
        if terms:
            lines.append(f"  s.out.{member} = uint8_t({' | '.join(terms)});\n")
        if enables and member == "pmod":
            lines.append(f"  s.out.pmod_oe = uint8_t({' | '.join(enables)});\n")
    return f"void pads(S &s) {{\n{''.join(lines)}}}\n"
