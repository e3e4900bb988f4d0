// A simulated board as a process: the machine, its pseudo-terminal, its bench, and its sense of time.
//
//   simulator --tty FD --control FD --clock HZ --baud BAUD [--linger SECONDS] [--tail SECONDS]
//
// `--tty` is the master of a pseudo-terminal, `--tty-slave` the other side (kept open, so that a client that closes it
// is not an error here), `--control` a listening Unix socket. All were opened by whoever started the board, so it needs
// no file system.
//
// Board time stands still while nobody needs it: the process then sleeps in poll() without a timer. It runs while bytes
// are on the lines, for a short while after them and after a command of the bench, and while somebody watches. It is
// never ahead of real time; on a slow host it falls behind, and says by how much.
#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <memory>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

#include "capture.h"
#include "control.h"
#include "machine.h"
#include "trace.h"

namespace lab {
namespace {

constexpr double kSlice = 250e-6;          // s of board time between looks at the descriptors
constexpr double kFallsBehind = 20e-3;     // s behind real time after which the lost time is given up
constexpr size_t kReadAhead = 64;          // bytes taken from the terminal before they are on the wire
constexpr size_t kMostUnsent = 1 << 16;    // bytes kept for a terminal that nobody reads; older ones are lost
constexpr uint64_t kLongestRun = 1ull << 40;  // cycles that one `run` may ask for
constexpr uint64_t kLargestCapture = 64 << 20;  // bytes of samples
constexpr double kScaleWindow = 0.1;       // s of real time over which the scale is measured

uint64_t monotonic_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1000000000ull + uint64_t(now.tv_nsec);
}

struct Options {
  int tty = -1;
  int tty_slave = -1;
  int control = -1;
  uint64_t clock_hz = 0;
  uint32_t baud = 0;
  double linger = 300;
  double tail = 0.05;
};

std::string hex(const std::string &bytes) {
  static const char digits[] = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

bool unhex(const std::string &text, std::string &bytes) {
  if (text.size() % 2) return false;
  for (size_t i = 0; i < text.size(); i += 2) {
    int value = 0;
    for (size_t j = i; j < i + 2; j++) {
      const char c = text[j];
      if (c >= '0' && c <= '9') {
        value = 16 * value + (c - '0');
      } else if (c >= 'a' && c <= 'f') {
        value = 16 * value + (c - 'a' + 10);
      } else {
        return false;
      }
    }
    bytes.push_back(char(value));
  }
  return true;
}

// Bits in hexadecimal, the least significant word first. At least one digit.
bool unhex(const std::string &text, std::vector<uint64_t> &words) {
  if (text.empty() || text.size() > 1 << 14) return false;
  words.assign((text.size() + 15) / 16, 0);
  for (size_t i = 0; i < text.size(); i++) {
    const char c = text[text.size() - 1 - i];
    const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    if (digit < 0) return false;
    words[i / 16] |= uint64_t(digit) << (4 * (i % 16));
  }
  return true;
}

std::vector<std::string> split(const std::string &text, char separator) {
  std::vector<std::string> parts;
  for (size_t at = 0; !text.empty() && at != std::string::npos;) {
    const size_t end = text.find(separator, at);
    parts.push_back(text.substr(at, end == std::string::npos ? end : end - at));
    at = end == std::string::npos ? end : end + 1;
  }
  return parts;
}

// `number` as an index below `count`.
bool index_of(const std::string &number, size_t count, size_t &index) {
  if (number.empty() || number.size() > 9 || number.find_first_not_of("0123456789") != std::string::npos) return false;
  index = size_t(std::atol(number.c_str()));
  return index < count;
}

// signals=0,5,7 (numbers in the list of signals), depth=, pre=, every=, and trigger=<step>;<step>… A step is
// <term>+<term>…, a term <signal>:<kind>:<mask>:<value> in hexadecimal; kinds are those of Capture.
bool read_plan(const Request &request, const std::vector<Variable> &variables, Capture::Plan &plan) {
  bool bad = false;
  plan.depth = request.number_of("depth", 0, 1 << 24, bad);
  plan.pre = request.number_of("pre", 0, 1 << 24, bad);
  plan.every = request.number_of("every", 1, 1 << 16, bad);
  if (bad || !plan.depth || plan.pre >= plan.depth || !plan.every || !request.has("signals")) return false;
  size_t index = 0;
  for (const std::string &number : split(request.values.at("signals"), ',')) {
    if (!index_of(number, variables.size(), index)) return false;
    plan.variables.push_back(variables[index]);
  }
  if (!request.has("trigger")) return true;
  for (const std::string &step : split(request.values.at("trigger"), ';')) {
    plan.trigger.emplace_back();
    for (const std::string &text : split(step, '+')) {
      const std::vector<std::string> parts = split(text, ':');
      Capture::Term term;
      if (parts.size() != 4 || !index_of(parts[0], variables.size(), index)) return false;
      if (parts[1].size() != 1 || std::string("=rfc").find(parts[1]) == std::string::npos) return false;
      if (!unhex(parts[2], term.mask) || !unhex(parts[3], term.value)) return false;
      term.variable = variables[index];
      term.kind = parts[1][0];
      plan.trigger.back().push_back(std::move(term));
    }
    if (plan.trigger.back().empty()) return false;
  }
  return true;
}

std::string field(const char *name, uint64_t value) { return std::string(" ") + name + "=" + std::to_string(value); }

class Simulator {
 public:
  explicit Simulator(const Options &given)
      : options(given),
        machine(std::unique_ptr<Board>(make_board()), given.clock_hz, given.baud),
        control(given.control, hello(), [this](Client &client, const Request &request) { handle(client, request); }) {
    fcntl(options.tty, F_SETFL, fcntl(options.tty, F_GETFL) | O_NONBLOCK);
    alone_since = monotonic_ns();
  }

  int run() {
    while (!quit) {
      const uint64_t now = monotonic_ns();
      const bool active = wants_time();
      if (!active) answer_all(quiet);
      if (active && !running) restart_clock(now);
      running = active;
      int64_t wait = -1;  // ns; -1 is for ever
      if (active) wait = ahead(now);
      if (!control.anybody()) {
        const int64_t left = int64_t(alone_since + uint64_t(options.linger * 1e9)) - int64_t(now);
        if (left <= 0) return 0;
        if (wait < 0 || left < wait) wait = left;
      }
      wait_for_events(wait);
      if (running && ahead(monotonic_ns()) <= 0) {
        hand_on();
        tell_watchers();
        advance();
      }
    }
    return 0;
  }

 private:
  std::string hello() const {
    return "* hello protocol=1" + field("clock", options.clock_hz) + field("baud", options.baud) +
           " identifier=" + hex(kIdentifier);
  }

  // --- time

  uint64_t seconds(double s) const { return uint64_t(s * double(options.clock_hz)); }

  bool wants_time() {
    if (!machine.powered()) return false;
    if (capture) return true;
    if (machine.busy() || machine.cycles() < active_until || machine.cycles() < run_until || !let_go.empty()) return true;
    for (const auto &client : control.all())
      if (client->watching) return true;
    return !machine.bridge_out.empty();
  }

  void stay_awake() { active_until = std::max(active_until, machine.cycles() + seconds(options.tail)); }

  void restart_clock(uint64_t now) {
    anchor_ns = scale_ns = now;
    anchor_cycles = scale_cycles = machine.cycles();
  }

  // ns that board time is ahead of real time; gives up what was lost when it is far behind.
  int64_t ahead(uint64_t now) {
    const double board = double(machine.cycles() - anchor_cycles) / double(options.clock_hz) * 1e9;
    const int64_t lead = int64_t(board) - int64_t(now - anchor_ns);
    if (now - scale_ns >= uint64_t(kScaleWindow * 1e9)) {
      scale = double(machine.cycles() - scale_cycles) / double(options.clock_hz) / (double(now - scale_ns) / 1e9);
      scale_ns = now;
      scale_cycles = machine.cycles();
    }
    if (lead < -int64_t(kFallsBehind * 1e9)) {
      anchor_ns = now;
      anchor_cycles = machine.cycles();
      return 0;
    }
    return std::max<int64_t>(lead, 0);
  }

  void advance() {
    uint64_t until = machine.cycles() + std::max<uint64_t>(seconds(kSlice), 1);
    if (release_at > machine.cycles()) until = std::min(until, release_at);
    if (run_until > machine.cycles()) until = std::min(until, run_until);
    machine.advance(until);
    // Only now has the design seen them let go: who presses again at once, presses again.
    answer_all(let_go);
    if (capture && capture->over()) end_capture("complete");
    if (machine.busy()) stay_awake();
    if (release_at && machine.cycles() >= release_at) {
      machine.in().buttons = uint8_t(machine.in().buttons & ~pressed);
      release_at = 0;
      pressed = 0;
      stay_awake();
      let_go.swap(pressing);
    }
    if (run_until && machine.cycles() >= run_until) {
      run_until = 0;
      answer_all(waiting);
    }
  }

  // --- descriptors

  void wait_for_events(int64_t wait) {
    fds.clear();
    // Bytes wait in the terminal, and their writer with them, while enough are here already.
    const bool room = machine.bridge_in.waiting() < kReadAhead;
    fds.push_back({options.tty, short((room ? POLLIN : 0) | (unsent.empty() ? 0 : POLLOUT)), 0});
    control.add_to(fds);
    const bool had_company = control.anybody();
    timespec limit{};
    if (wait >= 0) {
      limit.tv_sec = wait / 1000000000;
      limit.tv_nsec = wait % 1000000000;
    }
    if (ppoll(fds.data(), fds.size(), wait >= 0 ? &limit : nullptr, nullptr) <= 0) return;
    if (fds[0].revents & POLLOUT) send_out();
    if (fds[0].revents & POLLIN) take_in();
    control.serve(fds.data() + 1, fds.size() - 1);
    forget_orphan();
    if (had_company && !control.anybody()) alone_since = monotonic_ns();
  }

  void take_in() {
    uint8_t block[kReadAhead];
    const ssize_t count = read(options.tty, block, sizeof block);
    if (count <= 0 || !machine.powered()) return;
    for (ssize_t i = 0; i < count; i++) machine.bridge_in.push(block[i]);
  }

  void hand_on() {
    if (machine.bridge_out.empty()) return;
    unsent.insert(unsent.end(), machine.bridge_out.begin(), machine.bridge_out.end());
    machine.bridge_out.clear();
    if (unsent.size() > kMostUnsent) unsent.erase(unsent.begin(), unsent.end() - long(kMostUnsent));
    send_out();
  }

  void send_out() {
    while (!unsent.empty()) {
      const ssize_t count = write(options.tty, unsent.data(), unsent.size());
      if (count <= 0) return;
      unsent.erase(unsent.begin(), unsent.begin() + count);
    }
  }

  // --- the bench

  std::string state() {
    const Outputs &out = machine.out();
    const Inputs &in = machine.in();
    std::string lit;
    for (int led = 0; led < 8; led++) lit += (led ? "," : "") + std::to_string(machine.lit(led));
    return field("cycles", machine.cycles()) + field("powered", machine.powered()) + field("leds", out.leds) +
           " lit=" + lit + field("pmod", out.pmod) + field("pmod_oe", out.pmod_oe) + field("buttons", in.buttons) +
           field("switches", in.switches) + field("pmod_in", in.pmod) + field("console", machine.console_end()) +
           field("running", running) + field("scale", running ? uint64_t(std::lround(scale * 1000)) : 0) +
           field("capturing", capture != nullptr) + trace_state();
  }

  std::string trace_state() const {
    if (!trace) return "";
    return field("trace_bytes", trace->written()) +
           (trace->ended().empty() ? "" : " trace_ended=" + trace->ended());
  }

  void tell_watchers() {
    const uint64_t now = monotonic_ns();
    for (const auto &client : control.all()) {
      if (!client->watching || now < client->watch_next) continue;
      client->watch_next = now + client->watch_interval;
      client->send("* state" + state());
    }
  }

  void answer_all(std::vector<std::pair<Client *, std::string>> &who) {
    for (const auto &[client, number] : who)
      for (const auto &present : control.all())
        if (present.get() == client) client->send(number + " ok" + field("cycles", machine.cycles()));
    who.clear();
  }

  void handle(Client &client, const Request &request) {
    const auto ok = [&](const std::string &values) { client.send(request.number + " ok" + values); };
    const auto error = [&](const std::string &sentence) { client.send(request.number + " error " + sentence); };
    bool bad = false;
    const auto value = [&](const char *name, uint64_t otherwise, uint64_t most) {
      return request.number_of(name, otherwise, most, bad);
    };
    Inputs &in = machine.in();
    if (request.verb == "state") {
      ok(state());
    } else if (request.verb == "set") {
      Inputs wanted = in;
      wanted.buttons = uint8_t(value("buttons", in.buttons, 15));
      wanted.switches = uint8_t(value("switches", in.switches, 255));
      wanted.pmod = uint8_t(value("pmod", in.pmod, 255));
      if (bad) return error("A level is a decimal number: buttons 0 to 15, switches and pmod 0 to 255.");
      in = wanted;
      stay_awake();
      ok("");
    } else if (request.verb == "press") {
      const uint64_t mask = value("buttons", 1, 15), cycles = value("cycles", seconds(0.02), kLongestRun);
      if (bad || !cycles) return error("A press takes buttons from 1 to 15 and cycles from 1.");
      if (!machine.powered()) return error("The board is off.");
      in.buttons = uint8_t(in.buttons | mask);
      pressed = uint8_t(pressed | mask);
      release_at = std::max(release_at, machine.cycles() + cycles);
      active_until = std::max(active_until, release_at);
      pressing.emplace_back(&client, request.number);
    } else if (request.verb == "run") {
      const uint64_t cycles = value("cycles", 0, kLongestRun);
      if (bad || !cycles) return error("A run takes cycles from 1.");
      if (!machine.powered()) return error("The board is off.");
      run_until = std::max(run_until, machine.cycles() + cycles);
      waiting.emplace_back(&client, request.number);
    } else if (request.verb == "idle") {
      quiet.emplace_back(&client, request.number);
    } else if (request.verb == "watch") {
      const uint64_t interval = value("interval_ms", 100, 60000);
      if (bad || !interval) return error("A watch takes interval_ms from 1 to 60000.");
      client.watching = true;
      client.watch_interval = interval * 1000000;
      client.watch_next = 0;
      ok(state());
    } else if (request.verb == "unwatch") {
      client.watching = false;
      ok("");
    } else if (request.verb == "power") {
      const uint64_t on = value("on", 1, 1);
      if (bad) return error("Power takes on=0 or on=1.");
      power(on);
      ok("");
    } else if (request.verb == "console") {
      std::string bytes;
      const uint64_t baud = value("baud", 0, options.clock_hz / 4);
      if (bad || (request.has("data") && !unhex(request.values.at("data"), bytes)))
        return error("The console takes data as hexadecimal bytes, and a baud rate of at most a quarter of the clock.");
      if (baud) machine.set_console_baud(uint32_t(baud));
      for (char byte : bytes) machine.console_in.push(uint8_t(byte));
      if (!bytes.empty()) stay_awake();
      ok("");
    } else if (request.verb == "console_read") {
      const std::string &tail = machine.console_tail();
      const uint64_t end = machine.console_end(), first = end - tail.size();
      const uint64_t from = std::max(value("from", 0, ~0ull), first);
      if (bad) return error("Reading the console takes a position as decimal number.");
      ok(field("from", std::min(from, end)) + field("end", end) +
         " data=" + (from < end ? hex(tail.substr(size_t(from - first))) : ""));
    } else if (request.verb == "trace_start") {
      start_trace(client, request);
    } else if (request.verb == "trace_stop") {
      if (!trace) return error("No trace is being taken.");
      trace->flush();
      const std::string values = trace_state();
      trace.reset();
      ok(values);
    } else if (request.verb == "signals") {
      list_signals(client, request);
    } else if (request.verb == "capture") {
      start_capture(client, request);
    } else if (request.verb == "capture_wait") {
      wait_for_capture(client, request);
    } else if (request.verb == "capture_stop") {
      end_capture("stopped");
      ok("");
    } else if (request.verb == "quit") {
      ok("");
      capture.reset();
      trace.reset();
      quit = true;
    } else {
      error("There is no such command.");
    }
  }

  void start_trace(Client &client, const Request &request) {
    bool bad = false;
    const uint64_t limit = request.number_of("limit", 64 << 20, ~0ull, bad);
    const uint64_t everything = request.number_of("everything", 0, 1, bad);
    const int fd = client.take_descriptor();
    std::string problem;
    if (bad || !limit) problem = "A trace takes limit in bytes and everything=0 or 1.";
    if (fd < 0) problem = "A trace needs a descriptor to write to.";
    if (trace) problem = "A trace is being taken already.";
    if (capture) problem = "A capture is being taken.";
    if (!problem.empty()) {
      if (fd >= 0) close(fd);
      return client.send(request.number + " error " + problem);
    }
    trace = std::make_unique<Trace>(machine.soc(), options.clock_hz, fd, limit, everything);
    client.send(request.number + " ok");
  }

  // Writes a line for each signal: its width, a space, its name.
  void list_signals(Client &client, const Request &request) {
    bool bad = false;
    const uint64_t everything = request.number_of("everything", 0, 1, bad);
    const int fd = client.take_descriptor();
    if (bad || fd < 0) return client.send(request.number + " error A list of signals needs a descriptor to write to.");
    std::string text;
    for (const Variable &variable : variables_of(machine.soc(), everything))
      text += std::to_string(variable.width) + " " + variable.name + "\n";
    const bool written = write(fd, text.data(), text.size()) == ssize_t(text.size());
    close(fd);
    client.send(request.number + (written ? " ok" : " error The list of signals could not be written."));
  }

  void start_capture(Client &client, const Request &request) {
    const int fd = client.take_descriptor();
    Capture::Plan plan;
    bool bad = !read_plan(request, variables_of(machine.soc(), request.has("everything")), plan);
    capture_limit = request.number_of("limit", 64 << 20, ~0ull, bad);
    std::string problem;
    if (bad) problem = "A capture takes signals, a trigger, depth, pre below depth, every, and limit in bytes.";
    if (!bad && Capture::size_of(plan) > kLargestCapture) problem = "So many samples of so many signals don't fit.";
    if (fd < 0) problem = "A capture needs a descriptor to write to.";
    if (!machine.powered()) problem = "The board is off.";
    if (trace) problem = "A trace is being taken.";
    if (capture) problem = "A capture is being taken already.";
    if (!problem.empty()) {
      if (fd >= 0) close(fd);
      return client.send(request.number + " error " + problem);
    }
    capture_fd = fd;
    capture_owner = &client;
    capture_answer.clear();
    capture = std::make_unique<Capture>(machine.soc(), std::move(plan));
    client.send(request.number + " ok");
  }

  void end_capture(const char *why) {
    if (!capture) return;
    const int64_t told = capture->write_to(capture_fd, capture_limit);
    close(capture_fd);
    capture_answer = field("first", capture->first_cycle()) + field("samples", uint64_t(std::max<int64_t>(told, 0)));
    if (capture->trigger() >= 0) capture_answer += field("trigger", uint64_t(capture->trigger()));
    const bool whole = told == int64_t(capture->samples());
    capture_answer += std::string(" ended=") + (whole ? why : told < 0 ? "write" : "limit");
    capture.reset();
    if (capture_waits.empty()) return;
    for (const auto &present : control.all())
      if (present.get() == capture_owner) present->send(capture_waits + " ok" + capture_answer);
    capture_waits.clear();
  }

  // Answers at the end of the capture that this client has begun.
  void wait_for_capture(Client &client, const Request &request) {
    if (&client != capture_owner || (!capture && capture_answer.empty()))
      return client.send(request.number + " error No capture is being taken.");
    if (capture) {
      capture_waits = request.number;
    } else {
      client.send(request.number + " ok" + capture_answer);
    }
  }

  // Nobody waits for a capture whose client has hung up.
  void forget_orphan() {
    if (!capture_owner) return;
    for (const auto &present : control.all())
      if (present.get() == capture_owner) return;
    end_capture("stopped");
    capture_owner = nullptr;
    capture_waits.clear();
  }

  void power(bool on) {
    if (on == machine.powered()) return;
    end_capture("power");
    answer_all(pressing);
    answer_all(let_go);
    answer_all(waiting);
    release_at = run_until = active_until = 0;
    machine.in().buttons = uint8_t(machine.in().buttons & ~pressed);
    pressed = 0;
    unsent.clear();
    machine.power(on);
    if (on) stay_awake();
  }

  const Options options;
  Machine machine;
  Control control;
  std::unique_ptr<Trace> trace;
  std::unique_ptr<Capture> capture;
  int capture_fd = -1;
  const Client *capture_owner = nullptr;
  std::string capture_waits, capture_answer;  // number of who waits for the end, and what is said then
  uint64_t capture_limit = 0;  // bytes
  std::vector<pollfd> fds;
  std::vector<uint8_t> unsent;
  bool quit = false;
  bool running = false;
  uint64_t alone_since = 0;  // ns
  uint64_t anchor_ns = 0, anchor_cycles = 0;
  uint64_t scale_ns = 0, scale_cycles = 0;
  double scale = 1;
  uint64_t active_until = 0, run_until = 0, release_at = 0;  // cycles
  uint8_t pressed = 0;
  std::vector<std::pair<Client *, std::string>> pressing, let_go, waiting, quiet;
};

bool parse(int argc, char **argv, Options &options) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const char *value = argv[i + 1];
    if (name == "--tty") {
      options.tty = std::atoi(value);
    } else if (name == "--tty-slave") {
      options.tty_slave = std::atoi(value);
    } else if (name == "--control") {
      options.control = std::atoi(value);
    } else if (name == "--clock") {
      options.clock_hz = std::strtoull(value, nullptr, 10);
    } else if (name == "--baud") {
      options.baud = uint32_t(std::strtoul(value, nullptr, 10));
    } else if (name == "--linger") {
      options.linger = std::strtod(value, nullptr);
    } else if (name == "--tail") {
      options.tail = std::strtod(value, nullptr);
    } else {
      return false;
    }
  }
  return argc % 2 == 1 && options.tty >= 0 && options.tty_slave >= 0 && options.control >= 0 && options.clock_hz &&
         options.baud;
}

}  // namespace
}  // namespace lab

int main(int argc, char **argv) {
  lab::Options options;
  if (!lab::parse(argc, argv, options)) {
    std::fprintf(stderr, "usage: simulator --tty FD --tty-slave FD --control FD --clock HZ --baud BAUD"
                         " [--linger SECONDS] [--tail SECONDS]\n");
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);   // the terminal is the board's wire, not its controlling terminal
  std::signal(SIGXFSZ, SIG_IGN);  // a trace that is full is an answer, not an end
  // Pacing asks for waits of tens of microseconds; the default slack is as long.
  prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0);
  return lab::Simulator(options).run();
}
