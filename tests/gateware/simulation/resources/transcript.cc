// Drives a board with a fixed stimulus and prints every change of its pins, with the cycle. Two boards that are the same
// print the same.
#include <algorithm>
#include <cstdio>
#include <initializer_list>
#include <random>
#include <vector>

#include "machine.h"

// CRC-32 without inversions, at the end of what it is of.
static std::vector<uint8_t> checked(std::vector<uint8_t> data, uint32_t crc) {
  for (uint8_t byte : data) {
    crc ^= byte;
    for (int i = 0; i < 8; i++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  for (int i = 0; i < 4; i++) data.push_back(uint8_t(crc >> 8 * i));
  return data;
}

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
  // Frames: a session, reads and writes of the window, a bus error, what nobody understands, and silence after it.
  std::vector<uint8_t> frames;
  const auto add = [&](std::initializer_list<uint8_t> before, const std::vector<uint8_t> &data) {
    frames.insert(frames.end(), before);
    frames.insert(frames.end(), data.begin(), data.end());
  };
  const uint32_t session = 0x8899AABB;
  add({0x5A, 0x5A, 0x5A, 0xA5}, checked({0x88, 0x99, 0xAA, 0xBB, 9, 0x80, 0x80, 0x80}, 0xFFFFFFFF));
  add({}, checked({0x80, 6, 8, 0, 0x0C, 0x00, 2, 3, 0, 0, 0, 20, 1, 7}, session));
  add({}, checked({0x81, 9, 5, 2, 0x01, 0x01, 1, 2, 3, 4, 0x01, 0x03, 9, 8, 7, 6, 4, 1, 1, 1}, session));
  add({}, checked({0x82, 4, 0, 5, 0x02, 0x00, 0, 1, 0, 0}, session));
  add({0x77, 0x5A, 0x5A, 0x5A, 0xA5}, checked({0x88, 0x99, 0xAA, 0xBB, 10, 0x80, 0x80, 0x80}, 0xFFFFFFFF));
  add({0x83, 2, 0, 1, 1}, {});
  lab::Outputs last;
  bool framed = false;
  while (soc.cycles < 2200000) {
    if (!framed && soc.cycles >= 700000) {
      for (uint8_t byte : frames) sender.push(byte);
      framed = true;
    }
    sender.step(soc.cycles);
    soc.in.serial_rx = sender.level();
    if (soc.cycles % 997 == 0) {
      soc.in.buttons = random() & 15;
      soc.in.switches = uint8_t(random());
      soc.in.pmod = uint8_t(random());
      soc.in.console_rx = random() & 1;
    }
    // As far as nothing changes from outside: boards pass over cycles in which nothing happens at all.
    uint64_t until = std::min(sender.next(), (soc.cycles / 997 + 1) * 997);
    if (!framed) until = std::min<uint64_t>(until, 700000);
    soc.run(until > soc.cycles ? until - soc.cycles : 1);
    if (!(soc.out == last)) {
      last = soc.out;
      std::printf("%llu tx=%d busy=%d console=%d leds=%02x pmod=%02x oe=%02x\n", (unsigned long long)soc.cycles,
                  last.serial_tx, last.busy, last.console_tx, last.leds, last.pmod, last.pmod_oe);
    }
  }
}
