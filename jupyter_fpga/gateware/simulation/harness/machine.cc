#include "machine.h"

#include <algorithm>

namespace lab {
namespace {

constexpr size_t kConsoleKept = 65536;  // bytes of console output that a late listener still finds
constexpr size_t kHandOn = 512;         // bytes that are handed on even in the middle of a burst
constexpr double kBridgeHolds = 0.15;   // s after the last byte that `busy` is believed; its watchdog ends after 0.1 s
constexpr uint32_t kConsoleBaud = 115200;  // LiteX's default for a console

}  // namespace

Machine::Machine(std::unique_ptr<Board> soc, uint64_t clock_hz, uint32_t baud)
    : bridge_in(double(clock_hz) / baud),
      console_in(double(clock_hz) / kConsoleBaud),
      board(std::move(soc)),
      clock(clock_hz),
      bridge_rx(double(clock_hz) / baud),
      console_rx(double(clock_hz) / kConsoleBaud) {
  power(true);
}

void Machine::power(bool up) {
  if (up == on) return;
  observe();
  on = up;
  bridge_in.clear();
  console_in.clear();
  bridge_rx.clear();
  console_rx.clear();
  bridge_out.clear();
  last_byte = 0;
  if (up) {
    base_cycles += board->cycles;
    board->in = levels;
    board->in.serial_rx = board->in.console_rx = 1;
    board->power_up(kIdentifier);
  } else {
    board->out = Outputs();
  }
  observe();
}

void Machine::set_console_baud(uint32_t baud) {
  console_in.set_bit_time(double(clock) / baud);
  console_rx.set_bit_time(double(clock) / baud);
}

uint64_t Machine::lit(int led) {
  observe();
  return lit_cycles[led];
}

// Takes note of what the pins do at this cycle.
void Machine::observe() {
  const uint64_t now = cycles();
  for (int led = 0; led < 8; led++)
    if (lit_now >> led & 1) lit_cycles[led] += now - lit_since;
  lit_since = now;
  lit_now = board->out.leds;

  uint8_t byte;
  if (bridge_rx.step(board->cycles, board->out.serial_tx, byte)) {
    bridge_out.push_back(byte);
    last_byte = board->cycles;
  }
  if (console_rx.step(board->cycles, board->out.console_tx, byte)) {
    console.push_back(char(byte));
    console_total++;
    if (console.size() > 2 * kConsoleKept) console.erase(0, console.size() - kConsoleKept);
    last_byte = board->cycles;
  }
}

bool Machine::busy() const {
  if (!on) return false;
  if (!bridge_in.idle() || !console_in.idle() || !bridge_rx.idle()) return true;
  return board->out.busy && board->cycles < last_byte + uint64_t(kBridgeHolds * double(clock));
}

void Machine::advance(uint64_t until) {
  while (on && cycles() < until) {
    const uint64_t now = board->cycles;
    const bool was_sending = !bridge_in.idle();
    bridge_in.step(now);
    console_in.step(now);
    if (was_sending) last_byte = now;
    levels.serial_rx = bridge_in.level();
    levels.console_rx = console_in.level();
    board->in = levels;

    uint64_t stop = std::min(until - base_cycles, std::min(bridge_in.next(), console_in.next()));
    stop = std::min(stop, std::min(bridge_rx.next(), console_rx.next()));
    board->run(stop > now ? stop - now : 1);
    observe();
    // Nothing more is coming: whoever waits for this answer should have it now.
    if (!bridge_out.empty() && ((bridge_rx.idle() && !board->out.busy) || bridge_out.size() >= kHandOn)) return;
  }
}

}  // namespace lab
