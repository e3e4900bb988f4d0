"""The few lines of C++ that make a board out of a generated module."""

from jupyter_fpga.gateware.simulation._cxxrtl import Generated

__all__ = ("soc_glue", "window_glue")

_WINDOW_INPUTS = {
    "clk": "clk",
    "rst": "rst",
    "adr": "wb_adr",
    "dat_w": "wb_dat_w",
    "sel": "wb_sel",
    "cyc": "wb_cyc",
    "stb": "wb_stb",
    "we": "wb_we",
    "buttons": "buttons",
    "switches": "switches",
    "pmod_i": "pmod_i",
    "console_rx": "console_rx",
}
_WINDOW_OUTPUTS = {
    "dat_r": "wb_dat_r",
    "ack": "wb_ack",
    "leds": "leds",
    "pmod_o": "pmod_o",
    "pmod_oe": "pmod_oe",
    "console_tx": "console_tx",
}

#: What a whole SoC may have besides ``clk``, and the member of Inputs or Outputs that it is.
_SOC_INPUTS = {
    "serial_rx": "serial_rx",
    "buttons": "buttons",
    "switches": "switches",
    "pmod_i": "pmod",
    "uart_rx": "console_rx",
}
_SOC_OUTPUTS = {
    "serial_tx": "serial_tx",
    "busy": "busy",
    "leds": "leds",
    "pmod_o": "pmod",
    "pmod_oe": "pmod_oe",
    "uart_tx": "console_tx",
}

_WINDOW = """\
namespace lab {{
namespace {{

class Design : public Window {{
 public:
  Design() {{
{bind}
    ports.previous_clk = {previous};
  }}
  void reset() override {{ module.reset(); }}
  bool edge() override {{
    module.eval(nullptr);
    return {changed};
  }}
  void settle() override {{ {settle} }}
  void signals(Signals &to) override {{ module.signals(to); }}
  void derive() override {{ module.derive(); }}

 private:
  {type} module;
}};

}}  // namespace

Window *make_window() {{ return new Design; }}

}}  // namespace lab
"""

_SOC = """\
namespace lab {{
namespace {{

class Soc : public Board {{
 public:
  void power_up(const char *identifier) override {{
    module.reset();
    {identifier}
    cycles = 0;
    out = Outputs();
    apply(in);
    applied = in;
    for (int i = 0; i < {start}; i++) {{
      rise();
      fall();
    }}
    out = outputs();
  }}
  void signals(Signals &to, bool around) override {{
    if (!around) module.signals(to);
  }}
  void derive() override {{ module.derive(); }}
  uint64_t run(uint64_t limit) override {{ return advance(*this, limit); }}

  void apply(const Inputs &levels) {{
{apply}
    {settle}
  }}
  void rise() {{
    module.p_clk.data[0] = 1;
    {edge}
  }}
  void fall() {{
    module.p_clk.data[0] = 0;
    {fall}
  }}
  uint64_t rest(uint64_t) {{ return 0; }}
  Outputs outputs() {{
    Outputs now;
{outputs}
    return now;
  }}

 private:
  {type} module;
}};

}}  // namespace

Board *make_board() {{ return new Soc; }}

}}  // namespace lab
"""

_IDENTIFIER = '#include "identifier.h"\n'


def _member(port: str) -> str:
    return "p_" + port.replace("_", "__")


def window_glue(design: Generated) -> str:
    """``design.cc`` for a design in the window.

    Raises
    ------
    ValueError
        The module doesn't have the ports of ``lab_window``: a fault of the step before.
    """
    _check_ports(design, [*_WINDOW_INPUTS.values(), *_WINDOW_OUTPUTS.values()])
    bind = "\n".join(
        f"    ports.{name} = bits_of(module.{_member(port)});"
        for name, port in (_WINDOW_INPUTS | _WINDOW_OUTPUTS).items()
    )
    if _member("probes") in design.ports:
        _, width = design.members[_member("probes")]
        bind += f"\n    ports.probes = place_of(module.p_probes);\n    ports.probe_bits = {width};"
    hot = _WINDOW.format(
        bind=bind,
        previous=_previous_clock(design),
        settle=_settle(design),
        # Only of a design whose state is all in registers of the one clock is it known that it rests.
        changed="module.commit()" if design.only_rising_clock and design.settles_at_once else "module.commit(), true",
        type=f"{design.namespace}::{design.type}",
    )
    return '#include "window.h"\n' + design.text(_IDENTIFIER + hot)


def soc_glue(design: Generated, *, has_identifier: bool = True, start: int = 4) -> str:
    """``design.cc`` for a whole SoC.

    Parameters
    ----------
    has_identifier
        The SoC has a memory into which its identifier is to be written.
    start
        Clock cycles before anybody looks.

    Raises
    ------
    ValueError
        The module lacks a port that every LabSoC has, or its identifier memory.
    """
    _check_ports(design, ["clk", "serial_rx", "serial_tx", "busy"])
    identifier = ""
    if has_identifier:
        memory = next((name for name, width, depth in design.memories() if (width, depth) == (8, 64)), None)
        if memory is None:
            raise ValueError("The SoC has no identifier memory of 64 bytes.")
        identifier = f"write_identifier(module.{memory}, identifier);"
    ports = design.ports
    apply = "\n".join(
        f"    module.{_member(port)}.data[0] = levels.{name};"
        for port, name in _SOC_INPUTS.items()
        if _member(port) in ports
    )
    outputs = "\n".join(
        f"    now.{name} = uint8_t(*bits_of(module.{_member(port)}));"
        for port, name in _SOC_OUTPUTS.items()
        if _member(port) in ports
    )
    edge = f"module.eval(nullptr);\n    module.commit();\n    {_settle(design)}"
    hot = _SOC.format(
        identifier=identifier,
        start=start,
        apply=apply,
        outputs=outputs,
        settle=_settle(design),
        edge=edge,
        fall="module.prev_p_clk.data[0] = 0;" if design.only_rising_clock else edge,
        type=f"{design.namespace}::{design.type}",
    )
    return '#include "window.h"\n' + design.text(_IDENTIFIER + hot)


def _settle(design: Generated) -> str:
    return "module.eval(nullptr);" if design.settles_at_once else "lab::settle(module);"


def _previous_clock(design: Generated) -> str:
    if not design.only_rising_clock:
        return "nullptr"
    # A design without a register has no memory of the clock; any address will do.
    return "module.prev_p_clk.data" if "prev_p_clk" in design.struct else "bits_of(module.p_clk)"


def _check_ports(design: Generated, wanted: list[str]) -> None:
    missing = [port for port in wanted if _member(port) not in design.ports]
    if missing:
        raise ValueError(f"The module {design.type} lacks the ports {', '.join(missing)}.")
