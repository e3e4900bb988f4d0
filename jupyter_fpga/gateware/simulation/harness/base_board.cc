// The lab's base SoC with a design in its window. Compiled once; the design is linked in.
//
// Both are generated modules of their own, evaluated in turn. That is exact because nothing that the base drives into the
// window depends in the same cycle on what the window answers: labsoc keeps the answer in a register. So one pass is
// enough: base, then window, then the window's answer back to the base's inputs, where the next clock edge finds it.
#include <memory>

#include "window.h"

// Generated from LabSoC; defines LAB_BASE_SOC, its type, and LAB_IDENTIFIER_MEMORY.
#include "base_soc.h"

namespace lab {
namespace {

class BaseBoard : public Board {
 public:
  BaseBoard() : base(std::make_unique<LAB_BASE_SOC>()), window(make_window()) {}

  void power_up(const char *identifier) override {
    base->reset();
    write_identifier(base->LAB_IDENTIFIER_MEMORY, identifier);
    window->reset();
    cycles = 0;
    out = Outputs();
    set_clock(0);
    settle(*base);
    to_window();
    apply(in);
    applied = in;
    // The first edges leave the power-on reset; until then the serial lines aren't driven to rest.
    for (int i = 0; i < 4; i++) {
      rise();
      fall();
    }
    out = outputs();
  }

  void signals(Signals &to, bool around) override {
    if (around) {
      base->signals(to);
    } else {
      window->signals(to);
    }
  }

  void derive() override {
    window->derive();
    base->derive();
  }

  uint64_t run(uint64_t limit) override { return advance(*this, limit); }

  void apply(const Inputs &levels) {
    base->p_serial__rx.data[0] = levels.serial_rx;
    const WindowPorts &w = window->ports;
    *w.buttons = levels.buttons & 0xF;
    *w.switches = levels.switches;
    *w.pmod_i = levels.pmod;
    *w.console_rx = levels.console_rx;
    settle_window();
  }

  void rise() {
    set_clock(1);
    base->eval(nullptr);
    window->edge();
    base->commit();
    base->eval(nullptr);
    to_window();
    settle_window();
  }

  void fall() {
    set_clock(0);
    base->prev_p_clk.data[0] = 0;
    uint32_t *previous = window->ports.previous_clk;
    if (previous) {
      *previous = 0;
    } else {
      settle_window();
    }
  }

  Outputs outputs() const {
    const WindowPorts &w = window->ports;
    Outputs now;
    now.serial_tx = *bits_of(base->p_serial__tx);
    now.busy = *bits_of(base->p_busy);
    now.console_tx = *w.console_tx;
    now.leds = *w.leds;
    now.pmod = *w.pmod_o;
    now.pmod_oe = *w.pmod_oe;
    return now;
  }

 private:
  void set_clock(uint32_t level) {
    base->p_clk.data[0] = level;
    *window->ports.clk = level;
  }

  void to_window() {
    const WindowPorts &w = window->ports;
    *w.rst = *bits_of(base->p_window__rst);
    *w.adr = *bits_of(base->p_window__adr);
    *w.dat_w = *bits_of(base->p_window__dat__w);
    *w.sel = *bits_of(base->p_window__sel);
    *w.cyc = *bits_of(base->p_window__cyc);
    *w.stb = *bits_of(base->p_window__stb);
    *w.we = *bits_of(base->p_window__we);
  }

  void settle_window() {
    window->settle();
    base->p_window__ack.data[0] = *window->ports.ack;
    base->p_window__dat__r.data[0] = *window->ports.dat_r;
  }

  std::unique_ptr<LAB_BASE_SOC> base;
  std::unique_ptr<Window> window;
};

}  // namespace

Board *make_board() { return new BaseBoard; }

}  // namespace lab
