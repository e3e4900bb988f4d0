#include "control.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace lab {
namespace {

constexpr size_t kLongestLine = 65536;    // a client that sends a longer one is not one of ours
constexpr size_t kMostUnread = 1 << 20;   // a client that lets more than this wait has stopped listening
constexpr size_t kMostClients = 64;

Request parse(const std::string &line) {
  Request request;
  size_t at = 0;
  int word = 0;
  while (at < line.size()) {
    const size_t end = std::min(line.find(' ', at), line.size());
    const std::string token = line.substr(at, end - at);
    at = end + 1;
    if (token.empty()) continue;
    if (word == 0) {
      request.number = token;
    } else if (word == 1) {
      request.verb = token;
    } else {
      const size_t equals = token.find('=');
      if (equals != std::string::npos) request.values[token.substr(0, equals)] = token.substr(equals + 1);
    }
    word++;
  }
  return request;
}

}  // namespace

uint64_t Request::number_of(const std::string &name, uint64_t otherwise, uint64_t most, bool &bad) const {
  const auto found = values.find(name);
  if (found == values.end()) return otherwise;
  const char *text = found->second.c_str();
  char *end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text, &end, 10);
  if (*text < '0' || *text > '9' || *end || errno || value > most) bad = true;
  return value;
}

Client::~Client() {
  for (int descriptor : descriptors) close(descriptor);
  close(fd);
}

void Client::send(const std::string &line) {
  if (gone) return;
  out += line;
  out += '\n';
  flush();
  if (out.size() > kMostUnread) gone = true;
}

void Client::flush() {
  size_t done = 0;
  while (done < out.size()) {
    const ssize_t count = ::send(fd, out.data() + done, out.size() - done, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (count > 0) {
      done += size_t(count);
    } else if (count < 0 && errno == EINTR) {
      continue;
    } else {
      if (!(count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))) gone = true;
      break;
    }
  }
  out.erase(0, done);
}

void Client::receive() {
  for (;;) {
    char block[4096];
    alignas(cmsghdr) char ancillary[CMSG_SPACE(4 * sizeof(int))];
    iovec vector{block, sizeof block};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = ancillary;
    message.msg_controllen = sizeof ancillary;
    const ssize_t count = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count <= 0) {
      gone = true;
      return;
    }
    for (cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
      if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
      const size_t descriptor_count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      for (size_t i = 0; i < descriptor_count; i++) {
        int descriptor;
        std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
        descriptors.push_back(descriptor);
      }
    }
    in.append(block, size_t(count));
    if (in.size() > kLongestLine && in.find('\n') == std::string::npos) {
      gone = true;
      return;
    }
  }
}

int Client::take_descriptor() {
  if (descriptors.empty()) return -1;
  const int descriptor = descriptors.front();
  descriptors.erase(descriptors.begin());
  return descriptor;
}

Control::Control(int socket, std::string greeting, Handler handle)
    : listening(socket), hello(std::move(greeting)), handler(std::move(handle)) {
  fcntl(listening, F_SETFL, fcntl(listening, F_GETFL) | O_NONBLOCK);
}

void Control::add_to(std::vector<pollfd> &fds) const {
  fds.push_back({listening, POLLIN, 0});
  for (const auto &client : clients)
    fds.push_back({client->fd, short(client->out.empty() ? POLLIN : POLLIN | POLLOUT), 0});
}

void Control::serve(const pollfd *fds, size_t count) {
  size_t index = 1;
  for (auto &client : clients) {
    if (index >= count) break;
    const short events = fds[index++].revents;
    if (events & POLLOUT) client->flush();
    if (events & (POLLIN | POLLHUP | POLLERR)) client->receive();
    handle_lines(*client);
  }
  for (auto client = clients.begin(); client != clients.end();)
    client = (*client)->gone ? clients.erase(client) : std::next(client);
  if (fds[0].revents & POLLIN) accept_all();
}

void Control::accept_all() {
  for (;;) {
    const int fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) return;
    if (clients.size() >= kMostClients) {
      close(fd);
      continue;
    }
    clients.push_back(std::make_unique<Client>(fd));
    clients.back()->send(hello);
  }
}

void Control::handle_lines(Client &client) {
  size_t start = 0;
  for (size_t end; (end = client.in.find('\n', start)) != std::string::npos; start = end + 1) {
    const Request request = parse(client.in.substr(start, end - start));
    if (request.verb.empty()) {
      client.gone = true;
      return;
    }
    handler(client, request);
  }
  client.in.erase(0, start);
}

}  // namespace lab
