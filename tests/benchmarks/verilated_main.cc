// Verilator's side of test_simulation.py: runs the clock, then reads registers.
//
//   verilated CYCLES ADDRESS…   prints the seconds that the cycles took, and a word in hexadecimal for each address
//
// The whole SoC is read over its serial line, one bit every twelve cycles, as the lab's board is: both then say what the
// register holds in the same cycle. A window alone (compiled with -DWINDOW) is read over its bus.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "Vtop.h"
#include "uart.h"

namespace {

double monotonic() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return double(now.tv_sec) + 1e-9 * double(now.tv_nsec);
}

void cycle(Vtop &top) {
  top.clk = 1;
  top.eval();
  top.clk = 0;
  top.eval();
}

#ifdef WINDOW

void begin(Vtop &top) {
  top.console_rx = 1;
  top.rst = 1;
  for (int i = 0; i < 4; i++) cycle(top);
  top.rst = 0;
}

uint32_t read(Vtop &top, uint32_t address) {
  top.wb_adr = address / 4 & 0x3FFFF;
  top.wb_sel = 15;
  top.wb_cyc = top.wb_stb = 1;
  for (int i = 0; i < 100 && !top.wb_ack; i++) cycle(top);
  const uint32_t word = top.wb_dat_r;
  top.wb_cyc = top.wb_stb = 0;
  cycle(top);
  return word;
}

#else

void begin(Vtop &top) {
  top.serial_rx = top.uart_rx = 1;
  // A clock that is high at the first look has had no edge.
  top.eval();
  // As many as the lab's board has behind it when it is switched on.
  for (int i = 0; i < 4; i++) cycle(top);
}

uint32_t read(Vtop &top, uint32_t address) {
  lab::UartSender sender(12);
  lab::UartReceiver receiver(12);
  for (uint32_t byte : {2u, 1u, address >> 26, address >> 18, address >> 10, address >> 2}) sender.push(uint8_t(byte));
  uint32_t word = 0;
  for (uint64_t now = 0, bytes = 0; now < 10000 && bytes < 4; now++) {
    sender.step(now);
    top.serial_rx = sender.level();
    cycle(top);
    uint8_t byte;
    if (!receiver.step(now + 1, top.serial_tx, byte)) continue;
    word = word << 8 | byte;
    bytes++;
  }
  return word;
}

#endif

}  // namespace

int main(int argc, char **argv) {
  const uint64_t cycles = std::strtoull(argv[1], nullptr, 10);
  Vtop top;
  begin(top);
  const double begun = monotonic();
  for (uint64_t i = 0; i < cycles; i++) cycle(top);
  std::printf("%.6f", monotonic() - begun);
  for (int i = 2; i < argc; i++) std::printf(" %08x", read(top, uint32_t(std::strtoul(argv[i], nullptr, 0))));
  std::printf("\n");
}
