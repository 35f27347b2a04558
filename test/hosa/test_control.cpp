// The control socket, asked by real clients: slow ones, silent ones, ones that go away.
#include "tools/hosa/control.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <string>
#include <thread>

#include "test/actuate/scratch.h"

using namespace hosa;

namespace {

Fd connect_to(const scratch::Directory& home) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = home / "control";
  REQUIRE(path.size() < sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return fd;
}
void say(const Fd& fd, const std::string& word) {
  REQUIRE(::send(fd.get(), word.data(), word.size(), 0) == static_cast<ssize_t>(word.size()));
}
std::string hear(const Fd& fd) {
  char buffer[256];
  const ssize_t got = ::recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : std::string();
}
bool is_ready(const ControlServer& server) {
  pollfd waiting{server.fd(), POLLIN, 0};
  return ::poll(&waiting, 1, 0) == 1;
}
// As the loop does it: while there is something to take.
std::string serve(ControlServer& server) {
  std::string asked;
  char buffer[ControlServer::kRequestBytes];
  for (int i = 0; i < 20 && is_ready(server); ++i) {
    const std::string_view request = server.take(buffer);
    if (request.empty()) continue;
    asked.append(request).append(" ");
    server.answer(std::string("to ").append(request));
  }
  return asked;
}

}  // namespace

TEST_CASE("a client that asks long after it connected is answered, and nobody waits for it") {
  const scratch::SameDescriptors same;
  const scratch::Directory home;
  ControlServer server;
  REQUIRE(server.open(home.c_str()));
  const Fd slow = connect_to(home);
  CHECK(serve(server).empty());
  CHECK_FALSE(is_ready(server));
  const Fd quick = connect_to(home);
  say(quick, "status");
  CHECK(serve(server) == "status ");
  CHECK(hear(quick) == "to status");
  say(slow, "why");
  CHECK(serve(server) == "why ");
  CHECK(hear(slow) == "to why");
  CHECK_FALSE(is_ready(server));
}

TEST_CASE("silent clients, and such as have gone, keep nobody from being answered") {
  const scratch::SameDescriptors same;
  const scratch::Directory home;
  ControlServer server;
  REQUIRE(server.open(home.c_str()));
  std::array<Fd, 6> silent;
  for (Fd& fd : silent) {
    fd = connect_to(home);
    CHECK(serve(server).empty());
  }
  silent[5].reset();
  CHECK(serve(server).empty());
  CHECK_FALSE(is_ready(server));
  const Fd client = connect_to(home);
  say(client, "sense");
  CHECK(serve(server) == "sense ");
  CHECK(hear(client) == "to sense");
}

TEST_CASE("the verbs' side of it: an answer, and an error where nobody listens") {
  const scratch::Directory home;
  char buffer[256];
  CHECK_FALSE(ask_agent(home.c_str(), "status", buffer));
  ControlServer server;
  REQUIRE(server.open(home.c_str()));
  std::string asked;
  std::thread agent([&] {
    pollfd waiting{server.fd(), POLLIN, 0};
    while (asked.empty() && ::poll(&waiting, 1, 2000) == 1) asked = serve(server);
  });
  const auto answer = ask_agent(home.c_str(), "pause", buffer);
  agent.join();
  REQUIRE(answer);
  CHECK(*answer == "to pause");
  CHECK(asked == "pause ");
}
