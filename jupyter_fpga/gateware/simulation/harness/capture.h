// Some signals of the board around a trigger: sampled once a cycle, kept in memory, told as changes.
#pragma once

#include <string>
#include <vector>

#include "board.h"

namespace lab {

// A signal and where its bits are. One that is told in parts is one signal all the same.
struct Variable {
  struct Part {
    const uint32_t *narrow;  // one of the two
    const uint64_t *wide;
    unsigned width, low;
  };
  std::string name;  // levels of the hierarchy with a space between, "design" or "soc" first
  unsigned width = 0;
  bool derived = false;  // has to be computed before it is looked at
  std::vector<Part> parts;

  size_t words() const { return (width + 63) / 64; }
  void read(uint64_t *words) const;
};

// All signals of the design, and with `everything` those of the SoC around it; always in the same order.
std::vector<Variable> variables_of(Board &board, bool everything);

class Capture : public Probe {
 public:
  // A condition on the bits of one signal that `mask` has:
  //   '='  they are those of `value`   'r'  one of them rises   'f'  one of them falls   'c'  one of them changes
  struct Term {
    Variable variable;
    char kind;
    std::vector<uint64_t> mask, value;
    std::vector<uint64_t> now, before;
  };
  struct Plan {
    std::vector<Variable> variables;
    // Steps of which each must be met in a cycle after the one before; the terms of a step in the same cycle.
    std::vector<std::vector<Term>> trigger;
    uint64_t depth = 0;  // samples in all
    uint64_t pre = 0;    // of them before the trigger, which is looked for once they are there
    uint64_t every = 1;  // cycles from sample to sample
  };

  Capture(Board &board, Plan plan);
  ~Capture() override;
  Capture(const Capture &) = delete;
  Capture &operator=(const Capture &) = delete;

  void sample(uint64_t half_cycles) override;

  bool over() const { return complete; }
  // Number of the first sample at or after the cycle in which the trigger was met; -1 while it hasn't been.
  int64_t trigger() const;
  uint64_t samples() const { return kept; }
  // Board's cycle of the first sample.
  uint64_t first_cycle() const;

  // Writes up to `limit` bytes of lines: "#number of a sample", then "number of a signal" and its new value in
  // hexadecimal. Returns the number of samples told of, or -1 if that failed.
  int64_t write_to(int fd, uint64_t limit) const;

  // Bytes that the samples of a plan take.
  static uint64_t size_of(const Plan &plan);

 private:
  bool met(std::vector<Term> &step);
  void store(uint64_t cycle);

  Board &board;
  Plan plan;
  bool derives = false;
  size_t stride = 0;  // words of a sample
  std::vector<uint64_t> ring;
  uint64_t kept = 0, next = 0;  // samples, and where the next one goes
  uint64_t last_cycle = 0;      // of the newest sample
  uint64_t phase = 0;
  size_t step = 0;
  bool triggered = false, looked = false, complete = false;
  uint64_t after = 0;  // samples since the trigger
};

}  // namespace lab
