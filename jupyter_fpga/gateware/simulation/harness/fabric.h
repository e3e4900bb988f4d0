// The fabric of a configured iCE40, simulated bit by bit: what of it is the same for every bitstream.
//
// What is modelled as the device has it: flip-flops are 0 when configuration ends, and block RAMs hold what the
// bitstream says, but read as 0 in the first microsecond (Lattice TN1250; the lab's SoC is in reset for longer). At one
// edge a block RAM reads what was there before the write, and its output stays while a read isn't enabled.
// What isn't: delays (nextpnr's timing report is there for those), a PLL's start, and what becomes of a flip-flop whose
// input changes with its clock.
#pragma once

#include <cstdint>
#include <cstring>

#include "board.h"

namespace lab {
namespace fabric {

constexpr unsigned kNoClock = ~0u;

// SB_RAM40_4K: 256 words of 16 bits. In the modes 1, 2, 3 a port has 8, 4, 2 bits: every 2nd, 4th, 8th pin of its 16.
// The address' upper bits say which of the 2, 4, 8 bits of the word that begin there is meant.
struct BlockRam {
  uint16_t words[256];
  uint16_t read_address, write_address, data, mask, shown;
  bool reading;  // the read port is enabled

  // Lattice's places of a narrow port's first data bit, by mode.
  static constexpr unsigned first(unsigned mode) { return mode == 1 ? 0 : mode == 2 ? 1 : 3; }

  template <unsigned Mode>
  unsigned read() const {
    const unsigned word = words[read_address & 0xFF];
    if (Mode == 0) return word;
    constexpr unsigned step = 1u << Mode;
    const unsigned lane = read_address >> 8 & (step - 1);
    unsigned found = 0;
    for (unsigned base = 0; base < 16; base += step) found |= (word >> (base + lane) & 1) << (base + first(Mode));
    return found;
  }

  template <unsigned Mode>
  void write() {
    uint16_t &word = words[write_address & 0xFF];
    unsigned kept = mask, bits = data;
    if (Mode != 0) {
      constexpr unsigned step = 1u << Mode;
      const unsigned lane = write_address >> 8 & (step - 1);
      kept = 0xFFFF;
      bits = 0;
      for (unsigned base = 0; base < 16; base += step) {
        kept &= ~(1u << (base + lane));
        bits |= (data >> (base + first(Mode)) & 1u) << (base + lane);
      }
    }
    word = uint16_t((word & kept) | (bits & ~kept));
  }
};

// Where a clock's level is, and the edge of it that counts.
struct Clock {
  unsigned value;
  bool rising;
};

// Everything that changes. Values are bytes, 0 or 1: `v` is now, `n` is what the next edge makes of it.
template <class Sizes>
struct State {
  alignas(64) uint8_t v[Sizes::values];
  alignas(64) uint8_t n[Sizes::values];
  uint64_t dirty[Sizes::words];                    // clusters that are to be evaluated
  uint64_t pending[Sizes::domains][Sizes::words];  // clusters that an edge of their clock will change
  uint64_t urgent[Sizes::words];                   // clusters that are reset, whatever the clock does
  uint8_t level[Sizes::domains];                   // of each clock, when it was last looked at
  BlockRam rams[Sizes::rams];
  bool awake;
  Outputs out;

  void pend(unsigned domain, unsigned cluster, bool whether) {
    const uint64_t bit = uint64_t(1) << cluster % 64;
    uint64_t &word = pending[domain][cluster / 64];
    word = whether ? word | bit : word & ~bit;
  }
};

template <class Sizes>
struct ClusterOf {
  void (*evaluate)(State<Sizes> &);
  void (*commit)(State<Sizes> &);
};

// The board's clock is the first two domains, rising and falling.
template <class Sizes>
class Fabric {
 public:
  Fabric(const ClusterOf<Sizes> *functions, const Clock *clock_table) : clusters(functions), clocks(clock_table) {}

  State<Sizes> s;

  void configure(const uint16_t (*contents)[256]) {
    std::memset(&s.v, 0, sizeof s.v);
    std::memset(&s.n, 0, sizeof s.n);
    std::memset(&s.pending, 0, sizeof s.pending);
    std::memset(&s.urgent, 0, sizeof s.urgent);
    std::memset(&s.level, 0, sizeof s.level);
    std::memset(&s.dirty, 0xFF, sizeof s.dirty);
    for (unsigned ram = 0; ram < Sizes::rams; ram++) {
      s.rams[ram] = BlockRam();
      std::memcpy(s.rams[ram].words, contents[ram], sizeof s.rams[ram].words);
    }
    s.awake = false;
    s.out = Outputs();
    // What is high from the beginning had no edge.
    evaluate();
    for (unsigned domain = 0; domain < Sizes::domains; domain++)
      if (clocks[domain].value != kNoClock) s.level[domain] = s.v[clocks[domain].value];
  }

  void settle() {
    // A design whose clocks or resets oscillate is left as it is after a while.
    for (int round = 0; round < 64; round++) {
      evaluate();
      bool again = commit(s.urgent);
      for (unsigned domain = 2; domain < Sizes::domains; domain++) {
        const unsigned at = clocks[domain].value;
        if (at == kNoClock || s.level[domain] == s.v[at]) continue;
        s.level[domain] = s.v[at];
        if (bool(s.level[domain]) == clocks[domain].rising) again |= commit(s.pending[domain]);
      }
      if (!again) return;
    }
  }

  void edge(unsigned domain) { commit(s.pending[domain]); }

 private:
  void evaluate() {
    for (unsigned word = 0; word < Sizes::words; word++) {
      while (s.dirty[word]) {
        const unsigned bit = unsigned(__builtin_ctzll(s.dirty[word]));
        s.dirty[word] &= s.dirty[word] - 1;
        const unsigned cluster = 64 * word + bit;
        if (cluster <= kLast) clusters[cluster].evaluate(s);
      }
    }
  }

  bool commit(uint64_t *which) {
    bool any = false;
    for (unsigned word = 0; word < Sizes::words; word++) {
      uint64_t bits = which[word];
      which[word] = 0;
      any |= bits != 0;
      for (; bits; bits &= bits - 1) clusters[64 * word + unsigned(__builtin_ctzll(bits))].commit(s);
    }
    return any;
  }

  static constexpr unsigned kLast = Sizes::last;
  const ClusterOf<Sizes> *clusters;
  const Clock *clocks;
};

}  // namespace fabric
}  // namespace lab
