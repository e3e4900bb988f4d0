#include "trace.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace lab {
namespace {

constexpr size_t kBlock = 1 << 16;

// Names in VCD end at white space; ours may hold anything else that can be printed.
std::string printable(const std::string &name) {
  std::string text;
  for (const unsigned char c : name) text += c > ' ' && c < 127 ? char(c) : '_';
  return text.empty() ? "_" : text;
}

std::string code_of(size_t number) {
  std::string code;
  do {
    code += char('!' + number % 94);
    number /= 94;
  } while (number);
  return code;
}

}  // namespace

Trace::Trace(Board &soc, uint64_t clock_hz, int descriptor, uint64_t most, bool everything)
    : board(soc), half_period(0.5e12 / double(clock_hz)), fd(descriptor), limit(most) {
  root = "design";
  board.signals(*this, false);
  if (everything) {
    root = "soc";
    board.signals(*this, true);
  }
  declare();
  sample(2 * board.cycles);
  board.probe = this;
}

Trace::~Trace() {
  if (board.probe == this) board.probe = nullptr;
  flush();
  close(fd);
}

void Trace::add(const char *name, const uint32_t *words, unsigned width, unsigned low, bool) {
  add(name, words, nullptr, width, low);
}

void Trace::add(const char *name, const uint64_t *words, unsigned width, unsigned low, bool) {
  add(name, nullptr, words, width, low);
}

void Trace::add(const char *name, const uint32_t *narrow, const uint64_t *wide, unsigned width, unsigned low) {
  Variable variable{root, name, narrow, wide, width, "", 0};
  const size_t last = variable.name.rfind(' ');
  if (last != std::string::npos) {
    variable.scope += " " + variable.name.substr(0, last);
    variable.name.erase(0, last + 1);
  }
  variable.name = printable(variable.name);
  if (low) variable.name += "[" + std::to_string(low + width - 1) + ":" + std::to_string(low) + "]";
  variables.push_back(std::move(variable));
}

void Trace::declare() {
  buffer += "$timescale 1 ps $end\n";
  std::stable_sort(variables.begin(), variables.end(), [](const Variable &a, const Variable &b) {
    return a.scope != b.scope ? a.scope < b.scope : a.name < b.name;
  });
  std::string open;
  for (size_t i = 0; i < variables.size(); i++) {
    Variable &variable = variables[i];
    if (variable.scope != open) {
      // Scopes are opened from the root each time: simpler, and readers join scopes of one name.
      for (size_t at = open.empty() ? std::string::npos : 0; at != std::string::npos; at = open.find(' ', at + 1))
        buffer += "$upscope $end\n";
      open = variable.scope;
      for (size_t at = 0; at != std::string::npos;) {
        const size_t end = open.find(' ', at);
        buffer += "$scope module " + printable(open.substr(at, end - at)) + " $end\n";
        at = end == std::string::npos ? end : end + 1;
      }
    }
    variable.code = code_of(i);
    variable.last = before.size();
    before.resize(before.size() + (variable.width + 63) / 64);
    buffer += "$var wire " + std::to_string(variable.width) + " " + variable.code + " " + variable.name + " $end\n";
  }
  for (size_t at = open.empty() ? std::string::npos : 0; at != std::string::npos; at = open.find(' ', at + 1))
    buffer += "$upscope $end\n";
  buffer += "$enddefinitions $end\n";
}

bool Trace::changed(const Variable &variable) {
  bool differs = first;
  for (size_t i = 0; i < (variable.width + 63) / 64; i++) {
    const uint64_t now = variable.narrow ? *variable.narrow : variable.wide[i];
    differs |= now != before[variable.last + i];
    before[variable.last + i] = now;
  }
  return differs;
}

void Trace::write_value(const Variable &variable) {
  const uint64_t *words = &before[variable.last];
  if (variable.width == 1) {
    buffer += words[0] & 1 ? '1' : '0';
  } else {
    buffer += 'b';
    for (unsigned bit = variable.width; bit-- > 0;) buffer += words[bit / 64] >> (bit % 64) & 1 ? '1' : '0';
    buffer += ' ';
  }
  buffer += variable.code;
  buffer += '\n';
}

void Trace::sample(uint64_t half_cycles) {
  if (!why.empty()) return;
  board.derive();
  bool told = false;
  for (const Variable &variable : variables) {
    if (!changed(variable)) continue;
    if (!told) {
      buffer += "#" + std::to_string(uint64_t(double(half_cycles) * half_period)) + "\n";
      told = true;
    }
    write_value(variable);
  }
  first = false;
  if (buffer.size() >= kBlock) flush();
}

void Trace::flush() {
  if (why.empty() && bytes + buffer.size() > limit) {
    // Whole lines only, so that what is there can be read.
    const size_t room = size_t(limit - bytes);
    const size_t line = room ? buffer.rfind('\n', room - 1) : std::string::npos;
    buffer.resize(line == std::string::npos ? 0 : line + 1);
    why = "limit";
  }
  size_t done = 0;
  while (done < buffer.size() && why != "write") {
    const ssize_t count = write(fd, buffer.data() + done, buffer.size() - done);
    if (count > 0) {
      done += size_t(count);
      bytes += size_t(count);
    } else if (!(count < 0 && errno == EINTR)) {
      why = "write";
    }
  }
  buffer.clear();
  if (!why.empty() && board.probe == this) board.probe = nullptr;
}

}  // namespace lab
