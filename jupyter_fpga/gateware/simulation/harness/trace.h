// A trace of the board's signals, written as VCD (IEEE 1364-2005, section 18) to a descriptor.
#pragma once

#include <string>
#include <vector>

#include "board.h"

namespace lab {

class Trace : public Probe, private Signals {
 public:
  // Takes over `fd`. Stops by itself after `limit` bytes. `everything` adds the SoC around the design.
  Trace(Board &board, uint64_t clock_hz, int fd, uint64_t limit, bool everything);
  ~Trace() override;
  Trace(const Trace &) = delete;
  Trace &operator=(const Trace &) = delete;

  void sample(uint64_t half_cycles) override;
  void flush();

  uint64_t written() const { return bytes; }
  // Why no more is written: "" while it goes on, else "limit" or "write".
  const std::string &ended() const { return why; }

 private:
  struct Variable {
    std::string scope, name;
    const uint32_t *narrow;  // one of the two
    const uint64_t *wide;
    unsigned width;
    std::string code;
    size_t last;  // index into `before`
  };

  void add(const char *name, const uint32_t *words, unsigned width, unsigned low, bool) override;
  void add(const char *name, const uint64_t *words, unsigned width, unsigned low, bool) override;
  void add(const char *name, const uint32_t *narrow, const uint64_t *wide, unsigned width, unsigned low);
  void declare();
  bool changed(const Variable &variable);
  void write_value(const Variable &variable);

  Board &board;
  double half_period;  // ps
  int fd;
  uint64_t limit;
  uint64_t bytes = 0;
  std::string why;
  std::string root;
  std::vector<Variable> variables;
  std::vector<uint64_t> before;
  std::string buffer;
  bool first = true;
};

}  // namespace lab
