// Asks a board what a script says, over its serial line, and writes down what it answers and when.
//
//   transcript SCRIPT CLOCK BAUD
//
// A line of the script: the levels of buttons, switches and free pins; a command in hexadecimal; the number of bytes
// that it is to be answered by; clock cycles to wait afterwards. A line of the output: the bytes, the clock cycle at
// which the last was there, and the levels of LEDs and free pins, and which of these are driven, after the wait.
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

#include "machine.h"

namespace {

// Longer than any command takes on the bus with all of its words ending by the bus' time-out.
constexpr uint64_t kPatience = 4096 * 32;

}  // namespace

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  FILE *script = std::fopen(argv[1], "r");
  if (!script) return 2;
  const uint64_t clock = std::strtoull(argv[2], nullptr, 10);
  const uint32_t baud = uint32_t(std::strtoul(argv[3], nullptr, 10));
  const uint64_t byte_cycles = 10 * clock / baud + 1;
  lab::Machine machine(std::unique_ptr<lab::Board>(lab::make_board()), clock, baud);
  unsigned buttons, switches, pmod, count;
  uint64_t idle;
  static char command[4096];
  while (std::fscanf(script, "%u %u %u %4095s %u %" SCNu64, &buttons, &switches, &pmod, command, &count, &idle) == 6) {
    machine.in().buttons = uint8_t(buttons);
    machine.in().switches = uint8_t(switches);
    machine.in().pmod = uint8_t(pmod);
    const size_t length = std::strlen(command) / 2;
    for (size_t i = 0; i < length; i++) {
      const char digits[] = {command[2 * i], command[2 * i + 1], 0};
      machine.bridge_in.push(uint8_t(std::strtoul(digits, nullptr, 16)));
    }
    const uint64_t end = machine.cycles() + byte_cycles * (length + count) + kPatience;
    // A write isn't answered: it has the time of its bytes, and what it still has to do then, it does beside the next.
    const uint64_t sent = machine.cycles() + byte_cycles * length;
    while (count ? machine.bridge_out.size() < count && machine.cycles() < end : machine.cycles() < sent)
      machine.advance(count ? machine.cycles() + 1 : sent);
    const uint64_t when = machine.cycles();
    std::string answer;
    for (uint8_t byte : machine.bridge_out) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", byte);
      answer += digits;
    }
    machine.bridge_out.clear();
    while (machine.cycles() < when + idle) machine.advance(when + idle);
    std::printf("%s %" PRIu64 " %u %u %u\n", answer.empty() ? "-" : answer.c_str(), when, machine.out().leds,
                machine.out().pmod, machine.out().pmod_oe);
  }
  return 0;
}
