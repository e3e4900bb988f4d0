// What the base needs to know of a design that is linked into its window.
#pragma once

#include "board.h"

namespace lab {

// The ports of the module `lab_window`, by address.
struct WindowPorts {
  uint32_t *clk, *rst, *adr, *dat_w, *sel, *cyc, *stb, *we, *buttons, *switches, *pmod_i, *console_rx;
  const uint32_t *dat_r, *ack, *leds, *pmod_o, *pmod_oe, *console_tx;
  // Bits for the analyzer, as many as the base takes; nullptr in a design without probes.
  const void *probes;
  unsigned probe_bits;
  // The remembered clock level of a design that knows nothing of the clock but its rising edge; else nullptr. Such a
  // design needs no evaluation when the clock falls.
  uint32_t *previous_clk;
};

class Window {
 public:
  WindowPorts ports{};
  virtual ~Window() = default;
  virtual void reset() = 0;
  // Evaluates at a clock edge: registers take their new values, what depends on them is still to be settled. False if
  // nothing changed, and nothing will at later edges either while the inputs stay as they are.
  virtual bool edge() = 0;
  // Evaluates until everything has followed its inputs and registers.
  virtual void settle() = 0;
  virtual void signals(Signals &to) = 0;
  virtual void derive() = 0;
};

// Provided by the design, or by empty_window.cc. The caller owns what it gets.
Window *make_window();

}  // namespace lab
