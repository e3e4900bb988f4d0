#include "capture.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace lab {
namespace {

class Collector : public Signals {
 public:
  std::vector<Variable> found;
  const char *root = "design";

  void add(const char *name, const uint32_t *words, unsigned width, unsigned low, bool derived) override {
    add(name, {words, nullptr, width, low}, derived);
  }
  void add(const char *name, const uint64_t *words, unsigned width, unsigned low, bool derived) override {
    add(name, {nullptr, words, width, low}, derived);
  }

 private:
  void add(const char *name, Variable::Part part, bool derived) {
    Variable variable;
    variable.name = root + std::string(" ") + name;
    variable.parts.push_back(part);
    variable.width = part.low + part.width;
    variable.derived = derived;
    found.push_back(std::move(variable));
  }
};

std::string printable(const std::string &name) {
  std::string text;
  for (const unsigned char c : name) text += c >= ' ' && c < 127 ? char(c) : '_';
  return text;
}

bool write_all(int fd, const std::string &text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = write(fd, text.data() + done, text.size() - done);
    if (count > 0) {
      done += size_t(count);
    } else if (!(count < 0 && errno == EINTR)) {
      return false;
    }
  }
  return true;
}

std::string hexadecimal(const uint64_t *words, size_t count) {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  for (size_t nibble = 16 * count; nibble-- > 0;) {
    const unsigned digit = unsigned(words[nibble / 16] >> (4 * (nibble % 16)) & 15);
    if (digit || !text.empty() || nibble == 0) text += digits[digit];
  }
  return text;
}

}  // namespace

void Variable::read(uint64_t *words) const {
  std::fill(words, words + this->words(), 0);
  for (const Part &part : parts) {
    for (unsigned bit = 0; bit < part.width; bit += 64) {
      const uint64_t chunk = part.narrow ? *part.narrow : part.wide[bit / 64];
      const unsigned at = part.low + bit;
      words[at / 64] |= chunk << (at % 64);
      if (at % 64 && at / 64 + 1 < this->words()) words[at / 64 + 1] |= chunk >> (64 - at % 64);
    }
  }
}

std::vector<Variable> variables_of(Board &board, bool everything) {
  Collector collector;
  board.signals(collector, false);
  if (everything) {
    collector.root = "soc";
    board.signals(collector, true);
  }
  auto &found = collector.found;
  std::stable_sort(found.begin(), found.end(), [](const Variable &a, const Variable &b) { return a.name < b.name; });
  std::vector<Variable> joined;
  for (Variable &variable : found) {
    variable.name = printable(variable.name);
    if (!joined.empty() && joined.back().name == variable.name) {
      Variable &whole = joined.back();
      whole.width = std::max(whole.width, variable.width);
      whole.derived |= variable.derived;
      whole.parts.push_back(variable.parts[0]);
    } else {
      joined.push_back(std::move(variable));
    }
  }
  return joined;
}

uint64_t Capture::size_of(const Plan &plan) {
  uint64_t words = 0;
  for (const Variable &variable : plan.variables) words += variable.words();
  return 8 * words * plan.depth;
}

Capture::Capture(Board &soc, Plan wanted) : board(soc), plan(std::move(wanted)) {
  for (const Variable &variable : plan.variables) {
    stride += variable.words();
    derives |= variable.derived;
  }
  for (auto &terms : plan.trigger) {
    for (Term &term : terms) {
      derives |= term.variable.derived;
      term.now.assign(term.variable.words(), 0);
      term.before = term.now;
      term.mask.resize(term.now.size());
      term.value.resize(term.now.size());
    }
  }
  ring.resize(stride * plan.depth);
  triggered = plan.trigger.empty();
  board.probe = this;
}

Capture::~Capture() {
  if (board.probe == this) board.probe = nullptr;
}

bool Capture::met(std::vector<Term> &terms) {
  bool all = true;
  for (Term &term : terms) {
    bool equal = true, rises = false, falls = false;
    for (size_t i = 0; i < term.now.size(); i++) {
      const uint64_t now = term.now[i], before = term.before[i], mask = term.mask[i];
      equal &= (now & mask) == (term.value[i] & mask);
      rises |= (now & ~before & mask) != 0;
      falls |= (~now & before & mask) != 0;
    }
    switch (term.kind) {
      case '=': all &= equal; break;
      case 'r': all &= rises; break;
      case 'f': all &= falls; break;
      default: all &= rises || falls; break;
    }
  }
  return all;
}

void Capture::sample(uint64_t half_cycles) {
  // What the next rising edge sees is there at the end of a cycle.
  if (complete || half_cycles % 2) return;
  if (derives) board.derive();
  for (auto &terms : plan.trigger) {
    for (Term &term : terms) {
      std::swap(term.before, term.now);
      term.variable.read(term.now.data());
      if (!looked) term.before = term.now;
    }
  }
  looked = true;
  if (!triggered && kept >= plan.pre && met(plan.trigger[step]) && ++step == plan.trigger.size()) triggered = true;
  if (phase == 0) store(half_cycles / 2);
  phase = (phase + 1) % plan.every;
}

void Capture::store(uint64_t cycle) {
  uint64_t *at = &ring[stride * next];
  for (const Variable &variable : plan.variables) {
    variable.read(at);
    at += variable.words();
  }
  next = (next + 1) % plan.depth;
  kept = std::min(kept + 1, plan.depth);
  last_cycle = cycle;
  if (!triggered) return;
  after++;
  if (after + plan.pre < plan.depth) return;
  // More than `pre` of them may be from before the trigger.
  kept = std::min(kept, plan.pre + after);
  complete = true;
  if (board.probe == this) board.probe = nullptr;
}

int64_t Capture::trigger() const {
  return triggered && after ? int64_t(std::min(kept, plan.pre + after)) - int64_t(after) : -1;
}

uint64_t Capture::first_cycle() const { return last_cycle - (kept ? kept - 1 : 0) * plan.every; }

int64_t Capture::write_to(int fd, uint64_t limit) const {
  std::string text;
  std::vector<uint64_t> before(stride);
  uint64_t bytes = 0;
  for (uint64_t number = 0; number < kept; number++) {
    const uint64_t *now = &ring[stride * ((next + plan.depth - kept + number) % plan.depth)];
    std::string lines;
    size_t at = 0;
    for (size_t i = 0; i < plan.variables.size(); at += plan.variables[i].words(), i++) {
      const size_t words = plan.variables[i].words();
      if (number && std::equal(now + at, now + at + words, before.begin() + long(at))) continue;
      lines += std::to_string(i) + " " + hexadecimal(now + at, words) + "\n";
    }
    std::copy(now, now + stride, before.begin());
    if (lines.empty()) continue;
    lines = "#" + std::to_string(number) + "\n" + lines;
    if (bytes + lines.size() > limit) {
      return write_all(fd, text) ? int64_t(number) : -1;
    }
    bytes += lines.size();
    text += lines;
    if (text.size() >= 1 << 16) {
      if (!write_all(fd, text)) return -1;
      text.clear();
    }
  }
  return write_all(fd, text) ? int64_t(kept) : -1;
}

}  // namespace lab
