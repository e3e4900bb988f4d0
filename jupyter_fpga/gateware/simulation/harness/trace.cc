#include "trace.h"

#include <cerrno>
#include <unistd.h>

namespace lab {
namespace {

constexpr size_t kBlock = 1 << 16;

}  // namespace

Trace::Trace(Board &soc, uint64_t clock_hz, int descriptor, uint64_t most, bool everything)
    : board(soc), half_period(0.5e12 / double(clock_hz)), fd(descriptor), limit(most) {
  board.debug_info(items, everything);
  writer.timescale(1, "ps");
  writer.add_without_memories(items);
  sample(2 * board.cycles);
  board.probe = this;
}

Trace::~Trace() {
  if (board.probe == this) board.probe = nullptr;
  flush();
  close(fd);
}

void Trace::sample(uint64_t half_cycles) {
  if (!why.empty()) return;
  writer.sample(uint64_t(double(half_cycles) * half_period));
  if (writer.buffer.size() >= kBlock) flush();
}

void Trace::flush() {
  size_t done = 0;
  if (why.empty() && bytes + writer.buffer.size() > limit) {
    // Whole lines only, so that what is there can be read.
    const size_t room = size_t(limit - bytes);
    const size_t line = room ? writer.buffer.rfind('\n', room - 1) : std::string::npos;
    writer.buffer.resize(line == std::string::npos ? 0 : line + 1);
    why = "limit";
  }
  while (done < writer.buffer.size() && why != "write") {
    const ssize_t count = write(fd, writer.buffer.data() + done, writer.buffer.size() - done);
    if (count > 0) {
      done += size_t(count);
      bytes += size_t(count);
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      why = "write";
    }
  }
  writer.buffer.clear();
  if (!why.empty() && board.probe == this) board.probe = nullptr;
}

}  // namespace lab
