#include "tools/hosa/control.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <utility>

namespace hosa {
namespace {

Result<sockaddr_un> address_of(const char* state_directory) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  FixedString<sizeof address.sun_path - 1> path(state_directory);
  path.append("/control");
  if (path.cut()) return make_error(ENAMETOOLONG, "path of the control socket below", state_directory);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Result<Fd> packet_socket(int flags) {
  Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
  if (!fd) return errno_error("make a control socket");
  return fd;
}

bool watch(const Fd& ready, const Fd& fd, std::size_t which) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = which;
  return ::epoll_ctl(ready.get(), EPOLL_CTL_ADD, fd.get(), &event) == 0;
}

bool wait_readable(int fd, int milliseconds) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, milliseconds) == 1;
}

}  // namespace

Result<void> ControlServer::open(const char* state_directory) {
  const auto address = address_of(state_directory);
  if (!address) return address.error();
  auto fd = packet_socket(SOCK_NONBLOCK);
  if (!fd) return fd.error();
  ::unlink(address->sun_path);  // the journal's lock says that no other agent uses this directory
  const mode_t earlier = ::umask(0177);
  const int bound = ::bind(fd->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address);
  ::umask(earlier);
  if (bound != 0 || ::listen(fd->get(), 4) != 0) return errno_error("listen on", address->sun_path);
  Fd ready(::epoll_create1(EPOLL_CLOEXEC));
  if (!ready || !watch(ready, *fd, kPeers)) return errno_error("watch the control socket");
  ready_ = std::move(ready);
  listener_ = std::move(*fd);
  return {};
}

void ControlServer::admit() {
  Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!peer || !watch(ready_, peer, next_)) return;
  peers_[next_] = std::move(peer);
  next_ = (next_ + 1) % kPeers;
}

std::string_view ControlServer::take(std::span<char> request) {
  epoll_event event;
  for (std::size_t looks = 0; looks < 2 * kPeers && ::epoll_wait(ready_.get(), &event, 1, 0) == 1; ++looks) {
    if (event.data.u64 == kPeers) {
      admit();
      continue;
    }
    asking_ = std::exchange(peers_[event.data.u64], Fd{});
    const ssize_t got = ::recv(asking_.get(), request.data(), request.size(), 0);
    if (got > 0) return {request.data(), static_cast<std::size_t>(got)};
    asking_.reset();  // gone without having asked
  }
  return {};
}

void ControlServer::answer(std::string_view text) {
  const int bytes = kAnswerBytes;
  ::setsockopt(asking_.get(), SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
  ::send(asking_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  asking_.reset();
}

Result<std::string_view> ask_agent(const char* state_directory, std::string_view request, std::span<char> buffer) {
  const auto address = address_of(state_directory);
  if (!address) return address.error();
  auto fd = packet_socket(0);
  if (!fd) return fd.error();
  if (::connect(fd->get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    return errno_error("connect to", address->sun_path);
  }
  if (::send(fd->get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return errno_error("ask the agent");
  if (!wait_readable(fd->get(), 5000)) return make_error(ETIMEDOUT, "wait for the agent's answer");
  const ssize_t got = ::recv(fd->get(), buffer.data(), buffer.size(), 0);
  if (got <= 0) return make_error(EPROTO, "read the agent's answer");
  return std::string_view(buffer.data(), static_cast<std::size_t>(got));
}

}  // namespace hosa
