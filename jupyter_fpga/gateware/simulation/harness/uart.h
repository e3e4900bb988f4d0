// A serial line as its pin sees it: 8 data bits, least significant first, no parity, one stop bit.
//
// Time is counted in clock cycles of the board, with the fraction that a bit time may have.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>

namespace lab {

constexpr uint64_t kNever = std::numeric_limits<uint64_t>::max();

// Drives a pin with queued bytes.
class UartSender {
 public:
  explicit UartSender(double cycles_per_bit) : bit(cycles_per_bit) {}

  void set_bit_time(double cycles_per_bit) { bit = cycles_per_bit; }
  void push(uint8_t byte) { queue.push_back(byte); }
  size_t waiting() const { return queue.size(); }
  bool idle() const { return !sending && queue.empty(); }
  uint8_t level() const { return pin; }

  // The cycle at which `step` has something to do.
  uint64_t next() const {
    if (sending) return ceil_cycle(start + position * bit);
    return queue.empty() ? kNever : 0;
  }

  // Changes the pin if it is time to. A byte begins at `now` or where the one before it ended.
  void step(uint64_t now) {
    if (sending && now >= ceil_cycle(start + position * bit)) {
      if (position == kFrameBits) {
        sending = false;
        // Bytes that wait follow without a gap, so that the rate is exact over many of them.
        start += kFrameBits * bit;
      } else {
        pin = frame >> position & 1;
        position++;
      }
    }
    if (!sending && !queue.empty()) {
      if (start < double(now) - 1) start = double(now);
      frame = uint16_t(0x200 | queue.front() << 1);
      queue.pop_front();
      pin = 0;
      position = 1;
      sending = true;
    }
  }

  void clear() {
    queue.clear();
    sending = false;
    pin = 1;
    start = 0;
  }

 private:
  static constexpr int kFrameBits = 10;
  static uint64_t ceil_cycle(double at) {
    const uint64_t whole = uint64_t(at);
    return double(whole) < at ? whole + 1 : whole;
  }

  double bit;
  double start = 0;
  std::deque<uint8_t> queue;
  uint16_t frame = 0;
  int position = 0;
  bool sending = false;
  uint8_t pin = 1;
};

// Decodes a pin. Between changes its level is known, so it only needs to be told of those and of the end of a byte.
class UartReceiver {
 public:
  explicit UartReceiver(double cycles_per_bit) : bit(cycles_per_bit) {}

  void set_bit_time(double cycles_per_bit) { bit = cycles_per_bit; }
  bool idle() const { return !receiving; }

  // The cycle at which the byte that comes in is whole.
  uint64_t next() const { return receiving ? uint64_t(start + (kFrameBits - 0.5) * bit) + 1 : kNever; }

  // The pin has been at the level of the last call until `now`, and is at `level` from there on. Says whether a byte is
  // whole, and puts it into `byte`; a byte without its stop bit is dropped.
  bool step(uint64_t now, uint8_t level, uint8_t &byte) {
    bool whole = false;
    while (receiving && position < kFrameBits && double(now) > start + (position + 0.5) * bit) {
      frame |= uint16_t(pin << position);
      position++;
    }
    if (receiving && position == kFrameBits) {
      receiving = false;
      byte = uint8_t(frame >> 1);
      whole = (frame & 0x201) == 0x200;
    }
    if (!receiving && pin == 1 && level == 0) {
      receiving = true;
      start = double(now);
      position = 0;
      frame = 0;
    }
    pin = level;
    return whole;
  }

  void clear() {
    receiving = false;
    pin = 1;
  }

 private:
  static constexpr int kFrameBits = 10;

  double bit;
  double start = 0;
  uint16_t frame = 0;
  int position = 0;
  bool receiving = false;
  uint8_t pin = 1;
};

}  // namespace lab
