// A trace of the board's signals, written as VCD (IEEE 1364-2005, section 18) to a descriptor.
#pragma once

#include <cxxrtl/cxxrtl_vcd.h>

#include "board.h"

namespace lab {

class Trace : public Probe {
 public:
  // Takes over `fd`. Stops by itself after `limit` bytes.
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
  Board &board;
  double half_period;  // ps
  int fd;
  uint64_t limit;
  uint64_t bytes = 0;
  std::string why;
  cxxrtl::debug_items items;
  cxxrtl::vcd_writer writer;
};

}  // namespace lab
