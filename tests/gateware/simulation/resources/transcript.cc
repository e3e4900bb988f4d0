// Drives a board with a fixed stimulus and prints every change of its pins, with the cycle. Two boards that are the same
// print the same.
#include <cstdio>
#include <random>

#include "machine.h"

int main() {
  auto board = std::unique_ptr<lab::Board>(lab::make_board());
  lab::Board &soc = *board;
  soc.power_up(lab::kIdentifier);
  lab::UartSender sender(12);
  std::mt19937 random(1);
  const auto send = [&](std::initializer_list<uint8_t> bytes) {
    for (uint8_t byte : bytes) sender.push(byte);
  };
  const auto address = [&](uint32_t at) {
    at /= 4;
    send({uint8_t(at >> 24), uint8_t(at >> 16), uint8_t(at >> 8), uint8_t(at)});
  };
  for (int i = 0; i < 300; i++) {
    static const uint32_t places[] = {0x30000000, 0x30000004, 0x30000400, 0x30000404, 0x30000408, 0x3000040C,
                                      0x30000410, 0x30000414, 0x30000418, 0x3000041C, 0xF0000004, 0xF0000008,
                                      0xF000000C, 0xF0000800, 0xF0000814, 0x30000800};
    // The last one is rarely asked: nobody answers there, and the bus waits.
    const uint32_t at = places[random() % (random() % 16 ? 15 : 16)];
    if (random() % 2) {
      send({1, 1});
      address(at == 0xF0000800 ? 0x30000404 : at);
      send({uint8_t(random()), uint8_t(random()), uint8_t(random()), uint8_t(random())});
    } else {
      send({2, uint8_t(1 + random() % 3)});
      address(at);
    }
  }
  lab::Outputs last;
  while (soc.cycles < 700000) {
    sender.step(soc.cycles);
    soc.in.serial_rx = sender.level();
    if (soc.cycles % 997 == 0) {
      soc.in.buttons = random() & 15;
      soc.in.switches = uint8_t(random());
      soc.in.pmod = uint8_t(random());
      soc.in.console_rx = random() & 1;
    }
    soc.run(1);
    if (!(soc.out == last)) {
      last = soc.out;
      std::printf("%llu tx=%d busy=%d console=%d leds=%02x pmod=%02x oe=%02x\n", (unsigned long long)soc.cycles,
                  last.serial_tx, last.busy, last.console_tx, last.leds, last.pmod, last.pmod_oe);
    }
  }
}
