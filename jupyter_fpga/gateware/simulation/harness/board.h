// A simulated board: what its pins are, and how its clock is advanced.
//
// Every generated design is compiled against this header, so it includes as little as it can.
#pragma once

#include <cstdint>

#include "logic.h"

namespace lab {

// Levels that the bench and the serial lines hold. Serial lines rest high.
struct Inputs {
  uint8_t serial_rx = 1;
  uint8_t console_rx = 1;
  uint8_t buttons = 0;
  uint8_t switches = 0;
  uint8_t pmod = 0;

  bool operator==(const Inputs &other) const {
    return serial_rx == other.serial_rx && console_rx == other.console_rx && buttons == other.buttons &&
           switches == other.switches && pmod == other.pmod;
  }
};

// Levels that the board drives. `busy` says that the UART bridge has work in hand.
struct Outputs {
  uint8_t serial_tx = 1;
  uint8_t console_tx = 1;
  uint8_t busy = 0;
  uint8_t leds = 0;
  uint8_t pmod = 0;
  uint8_t pmod_oe = 0;

  bool operator==(const Outputs &other) const {
    return serial_tx == other.serial_tx && console_tx == other.console_tx && busy == other.busy &&
           leds == other.leds && pmod == other.pmod && pmod_oe == other.pmod_oe;
  }
};

// Is told every signal there is: its name, with a space between the levels of the hierarchy, and where its bits are, the
// least significant first. A signal can be told in parts; `low` is then the number of the part's lowest bit. One that is
// `derived` is right only after `derive`.
class Signals {
 public:
  virtual ~Signals() = default;
  virtual void add(const char *name, const uint32_t *words, unsigned width, unsigned low, bool derived) = 0;
  virtual void add(const char *name, const uint64_t *words, unsigned width, unsigned low, bool derived) = 0;
};

// Looks at every signal of the board, twice a cycle: after the rising edge in its middle, and at its end.
class Probe {
 public:
  virtual ~Probe() = default;
  virtual void sample(uint64_t half_cycles) = 0;
};

class Board {
 public:
  Inputs in;
  Outputs out;
  uint64_t cycles = 0;     // clock cycles since power-up
  Probe *probe = nullptr;  // set while a trace or a capture is taken

  virtual ~Board() = default;

  // Puts every register and memory into its initial state, and `identifier` into the identifier memory.
  virtual void power_up(const char *identifier) = 0;

  // Tells the signals of the design, or with `around` those of the SoC around it.
  virtual void signals(Signals &to, bool around) = 0;

  // Computes those signals that the simulation itself has no need of, as of now.
  virtual void derive() = 0;

  // Advances the clock until `out` changes or `limit` cycles are over; says how many cycles it was.
  virtual uint64_t run(uint64_t limit) = 0;

 protected:
  // The loop of `run`, the same for every kind of board. A `Model` has
  //   void apply(const Inputs &)   set input levels, and let the logic settle
  //   void rise()                  one rising clock edge, and settle
  //   void fall()                  one falling clock edge, and settle
  //   uint64_t rest(uint64_t)      pass over cycles, up to so many, in which nothing can change; says how many
  //   Outputs outputs() const
  template <class Model>
  uint64_t advance(Model &model, uint64_t limit) {
    if (!(in == applied)) {
      model.apply(in);
      applied = in;
    }
    uint64_t done = 0;
    while (done < limit) {
      if (!probe) {
        const uint64_t passed = model.rest(limit - done);
        cycles += passed;
        done += passed;
        if (done == limit) break;
      }
      model.rise();
      if (probe) probe->sample(2 * cycles + 1);
      model.fall();
      if (probe) probe->sample(2 * cycles + 2);
      cycles++;
      done++;
      const Outputs now = model.outputs();
      if (!(now == out)) {
        out = now;
        break;
      }
    }
    return done;
  }

  Inputs applied;
};

// Characters of the identifier memory, the closing NUL included.
constexpr size_t kIdentifierWords = 64;

// Provided by the SoC that is linked in: the lab's base with a design's window, or a person's own SoC. The caller owns
// what it gets; <memory> is left to those who compile once.
Board *make_board();

// Provided with the design: what the identifier memory holds after power-up.
extern const char kIdentifier[];

// Writes `text` into an identifier memory, padded with NULs.
template <size_t Width>
void write_identifier(rtl::memory<Width> &memory, const char *text) {
  bool over = false;
  for (size_t index = 0; index < memory.depth; index++) {
    over = over || text[index] == 0 || index == memory.depth - 1;
    memory[index] = rtl::value<Width>(over ? 0u : uint32_t(uint8_t(text[index])));
  }
}

// Where the current value of a generated port is, whether the backend made it combinational or registered.
template <size_t Bits>
uint32_t *bits_of(rtl::value<Bits> &port) {
  return port.data;
}
template <size_t Bits>
uint32_t *bits_of(rtl::wire<Bits> &port) {
  return port.curr.data;
}

// The same, for a port of any width.
template <size_t Bits>
const void *place_of(rtl::value<Bits> &port) {
  return port.data;
}
template <size_t Bits>
const void *place_of(rtl::wire<Bits> &port) {
  return port.curr.data;
}

// Evaluates until nothing changes any more. A design whose logic oscillates is left as it is after a while.
template <class Module>
void settle(Module &module) {
  for (int delta = 0; delta < 64; delta++) {
    module.eval(nullptr);
    if (!module.commit()) return;
  }
}

}  // namespace lab
