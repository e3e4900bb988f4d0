// The lab's base SoC with a design in its window. Compiled once; the design is linked in.
//
// Both are generated modules of their own, evaluated in turn. That is exact because nothing that the base drives into the
// window depends in the same cycle on what the window answers: labsoc keeps the answer in a register. So one pass is
// enough: base, then window, then the window's answer back to the base's inputs, where the next clock edge finds it.
//
// Most of the time the base waits for a start bit, and many a design for a command. What an edge left unchanged is not
// evaluated again until one of its inputs changes; only the cycle counter goes on, and is counted by hand.
#include <cstring>
#include <memory>

#include "window.h"

// Generated from LabSoC; defines LAB_BASE_SOC, its type, and the names of two of its members.
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
    base_rests = window_rests = false;
  }

  void rise() {
    set_clock(1);
    if (!base_rests) base->eval(nullptr);
    const bool window_changed = !window_rests && window->edge();
    bool asked = false;
    if (base_rests) {
      count(1);
    } else if (base->commit()) {
      base->eval(nullptr);
      asked = to_window();
    } else {
      base_rests = true;
    }
    if (window_changed || asked) {
      window_rests = false;
      if (settle_window()) base_rests = false;
    } else {
      window_rests = true;
    }
  }

  void fall() {
    set_clock(0);
    base->prev_p_clk.data[0] = 0;
    uint32_t *previous = window->ports.previous_clk;
    if (previous) {
      *previous = 0;
    } else {
      window->edge();
      if (settle_window()) base_rests = false;
    }
  }

  uint64_t rest(uint64_t most) {
    if (!base_rests || !window_rests) return 0;
    count(most);
    return most;
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

  void count(uint64_t cycles_passed) {
    auto &counter = base->LAB_CYCLE_COUNTER;
    counter.curr.data[0] += cycles_passed;
    counter.next = counter.curr;
  }

  // Both say whether they changed anything.
  bool to_window() {
    const WindowPorts &w = window->ports;
    bool changed = false;
    const auto set = [&changed](uint32_t *port, uint32_t level) {
      changed |= *port != level;
      *port = level;
    };
    set(w.rst, *bits_of(base->p_window__rst));
    set(w.adr, *bits_of(base->p_window__adr));
    set(w.dat_w, *bits_of(base->p_window__dat__w));
    set(w.sel, *bits_of(base->p_window__sel));
    set(w.cyc, *bits_of(base->p_window__cyc));
    set(w.stb, *bits_of(base->p_window__stb));
    set(w.we, *bits_of(base->p_window__we));
    return changed;
  }

  bool settle_window() {
    window->settle();
    const uint32_t ack = *window->ports.ack, data = *window->ports.dat_r;
    bool changed = base->p_window__ack.data[0] != ack || base->p_window__dat__r.data[0] != data;
#ifdef LAB_PROBES
    auto &probes = base->p_probes.data;
    const bool fits = window->ports.probe_bits == decltype(base->p_probes)::bits;
    if (fits && std::memcmp(probes, window->ports.probes, sizeof probes)) {
      std::memcpy(probes, window->ports.probes, sizeof probes);
      changed = true;
    }
#endif
    base->p_window__ack.data[0] = ack;
    base->p_window__dat__r.data[0] = data;
    return changed;
  }

  std::unique_ptr<LAB_BASE_SOC> base;
  std::unique_ptr<Window> window;
  bool base_rests = false;
  bool window_rests = false;
};

}  // namespace

Board *make_board() { return new BaseBoard; }

}  // namespace lab
