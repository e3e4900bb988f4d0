// The bench's side of a board: a listening Unix socket on which clients speak lines of text.
//
//   request   <number> <verb> [name=value …]        answer   <number> ok [name=value …]
//                                                   or       <number> error <sentence>
//   The board speaks first: "* hello protocol=1 …". Watchers get "* state …" lines that nobody asked for.
//
// Values are decimal numbers or hexadecimal bytes. A descriptor can come along with a request (SCM_RIGHTS).
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <poll.h>

namespace lab {

struct Request {
  std::string number;
  std::string verb;
  std::map<std::string, std::string> values;

  bool has(const std::string &name) const { return values.count(name) != 0; }
  // A decimal number, or `otherwise` when it isn't given. Sets `bad` when it can't be read or is above `most`.
  uint64_t number_of(const std::string &name, uint64_t otherwise, uint64_t most, bool &bad) const;
};

class Client {
 public:
  explicit Client(int socket) : fd(socket) {}
  ~Client();
  Client(const Client &) = delete;
  Client &operator=(const Client &) = delete;

  void send(const std::string &line);
  // The descriptor that came with the requests so far, or -1. The caller closes it.
  int take_descriptor();

  int fd;
  bool gone = false;
  bool watching = false;
  uint64_t watch_interval = 0;  // ns
  uint64_t watch_next = 0;      // ns
  std::string watch_last;

 private:
  friend class Control;
  void receive();
  void flush();

  std::string in;
  std::string out;
  std::vector<int> descriptors;
};

class Control {
 public:
  using Handler = std::function<void(Client &, const Request &)>;

  // `listening` is a bound socket that listens already.
  Control(int listening, std::string hello, Handler handler);

  bool anybody() const { return !clients.empty(); }
  std::list<std::unique_ptr<Client>> &all() { return clients; }

  void add_to(std::vector<pollfd> &fds) const;
  // Deals with what poll() found. `fds` begins with what `add_to` added.
  void serve(const pollfd *fds, size_t count);

 private:
  void accept_all();
  void handle_lines(Client &client);

  int listening;
  std::string hello;
  Handler handler;
  std::list<std::unique_ptr<Client>> clients;
};

}  // namespace lab
