// The window of a board that nobody has programmed: nothing answers in it.
#include "window.h"

namespace lab {
namespace {

class EmptyWindow : public Window {
 public:
  EmptyWindow() {
    ports.clk = ports.rst = ports.adr = ports.dat_w = ports.sel = ports.cyc = ports.stb = ports.we = &ignored;
    ports.buttons = ports.switches = ports.pmod_i = ports.console_rx = &ignored;
    ports.dat_r = ports.ack = ports.leds = ports.pmod_o = ports.pmod_oe = &zero;
    ports.console_tx = &one;
    ports.previous_clk = &ignored;
  }
  void reset() override {}
  bool edge() override { return false; }
  void settle() override {}
  void signals(Signals &) override {}
  void derive() override {}

 private:
  uint32_t ignored = 0;
  const uint32_t zero = 0;
  const uint32_t one = 1;
};

}  // namespace

Window *make_window() { return new EmptyWindow; }

}  // namespace lab
