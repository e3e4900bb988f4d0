// The lab's base SoC with a design in its window. Compiled once; the design is linked in.
//
// Both are generated modules of their own, evaluated in turn. That is exact because nothing that the base drives into the
// window depends in the same cycle on what the window answers: labsoc keeps the answer in a register. So one pass is
// enough: base, then window, then the window's answer back to the base's inputs, where the next clock edge finds it.
//
// The serial line's PHY is a third module. It is at work in every cycle while a byte is on the line; what is behind it
// isn't. Its outputs don't depend in the same cycle on its inputs either.
//
// Most of the time the base waits for a byte, and many a design for a command. What an edge left unchanged is not
// evaluated again until one of its inputs changes; only counters go on (of cycles, of silence on the line, and that of
// UARTBone's watchdog), and are counted by hand up to where something looks at them.
#include <algorithm>
#include <cstring>
#include <memory>
#include <type_traits>

#include "window.h"

// Generated from LabSoC; defines LAB_BASE_SOC and LAB_PHY, the modules' types, and the names of some members.
#include "base_soc.h"

namespace lab {
namespace {

constexpr uint64_t kForever = ~0ull;

class BaseBoard : public Board {
 public:
  BaseBoard()
      : base(std::make_unique<LAB_BASE_SOC>()), phy(std::make_unique<LAB_PHY>()), window(make_window()) {}

  void power_up(const char *identifier) override {
    base->reset();
    phy->reset();
    write_identifier(base->LAB_IDENTIFIER_MEMORY, identifier);
    window->reset();
    cycles = 0;
    out = Outputs();
    set_clock(0);
    settle(*phy);
    from_phy();
    settle(*base);
    to_phy();
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
      phy->signals(to);
    } else {
      window->signals(to);
    }
  }

  void derive() override {
    window->derive();
    base->derive();
    phy->derive();
  }

  uint64_t run(uint64_t limit) override { return advance(*this, limit); }

  void apply(const Inputs &levels) {
    phy->p_serial__rx.data[0] = levels.serial_rx;
    const WindowPorts &w = window->ports;
    *w.buttons = levels.buttons & 0xF;
    *w.switches = levels.switches;
    *w.pmod_i = levels.pmod;
    *w.console_rx = levels.console_rx;
    settle_window();
    base_rests = phy_rests = window_rests = false;
  }

  void rise() {
    set_clock(1);
    // Edges first: everything sees what the others' outputs were before.
    if (!phy_rests) phy->eval(nullptr);
    if (!base_rests) base->eval(nullptr);
    const bool window_changed = !window_rests && window->edge();
    if (!phy_rests) {
      if (phy->commit()) {
        phy->eval(nullptr);
      } else {
        phy_rests = true;
      }
    }
    const bool told = from_phy();
    bool asked = false;
    if (base_rests) {
      count(1);
      if (told) base_rests = false;
      // Its own edge has passed without a change.
      base->prev_p_clk.data[0] = 1;
    } else {
      const uint32_t silence = base->LAB_SILENCE.curr.data[0], watchdog = base->LAB_WATCHDOG.curr.data[0];
      if (!base->commit()) coast(silence, watchdog);
    }
    if (!base_rests || told) {
      base->eval(nullptr);
      to_phy();
      asked = to_window();
      if (told) base_rests = false;
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
    base->prev_p_clk.data[0] = phy->prev_p_clk.data[0] = 0;
    uint32_t *previous = window->ports.previous_clk;
    if (previous) {
      *previous = 0;
    } else {
      window->edge();
      if (settle_window()) base_rests = false;
    }
  }

  uint64_t rest(uint64_t most) {
    if (!base_rests || !phy_rests || !window_rests) return 0;
    most = std::min(most, coasts);
    count(most);
    return most;
  }

  Outputs outputs() const {
    const WindowPorts &w = window->ports;
    Outputs now;
    now.serial_tx = *bits_of(phy->p_serial__tx);
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
    phy->p_clk.data[0] = level;
    *window->ports.clk = level;
  }

  // The base has passed an edge at which nothing changed but counters, which were these: let it rest as long as it goes
  // on like this.
  void coast(uint32_t silence_before, uint32_t watchdog_before) {
    const uint32_t silence = base->LAB_SILENCE.curr.data[0], watchdog = base->LAB_WATCHDOG.curr.data[0];
    silence_counts = silence != silence_before;
    watchdog_counts = watchdog != watchdog_before;
    coasts = kForever;
    if (silence_counts) {
      // Something looks at it when it comes to a multiple of this, which it may just have done, and one before that.
      const uint32_t since = silence % LAB_SILENCE_STEP, left = LAB_SILENCE_STEP - 1 - since;
      coasts = silence == silence_before + 1 && since && left > 1 ? left - 1 : 0;
    }
    if (watchdog_counts) {
      const uint64_t left = watchdog == watchdog_before - 1 && watchdog > 1 ? watchdog - 1 : 0;
      coasts = std::min(coasts, left);
    }
    base_rests = coasts > 0;
    // What it has come to by this edge is still to be seen.
    if (silence_counts || watchdog_counts) base->eval(nullptr);
  }

  void count(uint64_t cycles_passed) {
    add(base->LAB_CYCLE_COUNTER, cycles_passed);
    if (coasts == kForever) return;
    if (silence_counts) add(base->LAB_SILENCE, cycles_passed);
    if (watchdog_counts) add(base->LAB_WATCHDOG, -cycles_passed);
    coasts -= cycles_passed;
    if (!coasts) base_rests = false;
  }

  template <class Counter>
  static void add(Counter &counter, uint64_t difference) {
    counter.curr.data[0] += typename std::decay<decltype(counter.curr.data[0])>::type(difference);
    counter.next = counter.curr;
  }

  // These say whether they changed anything.
  bool from_phy() {
    bool changed = false;
    const auto set = [&changed](auto &port, uint32_t level) {
      changed |= port.data[0] != level;
      port.data[0] = level;
    };
    set(base->p_phy__rx__valid, *bits_of(phy->p_rx__valid));
    set(base->p_phy__rx__data, *bits_of(phy->p_rx__data));
    set(base->p_phy__tx__ready, *bits_of(phy->p_tx__ready));
    return changed;
  }

  void to_phy() {
    bool changed = false;
    const auto set = [&changed](auto &port, uint32_t level) {
      changed |= port.data[0] != level;
      port.data[0] = level;
    };
    set(phy->p_rst, *bits_of(base->p_phy__rst));
    set(phy->p_tx__valid, *bits_of(base->p_phy__tx__valid));
    set(phy->p_tx__data, *bits_of(base->p_phy__tx__data));
    if (changed) phy_rests = false;
  }

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
    // The base looks at this only while it asks.
    bool changed = *window->ports.cyc && (base->p_window__ack.data[0] != ack || base->p_window__dat__r.data[0] != data);
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
  std::unique_ptr<LAB_PHY> phy;
  std::unique_ptr<Window> window;
  bool base_rests = false;
  bool phy_rests = false;
  bool window_rests = false;
  uint64_t coasts = kForever;  // cycles that the base can rest
  bool silence_counts = false, watchdog_counts = false;
};

}  // namespace

Board *make_board() { return new BaseBoard; }

}  // namespace lab
