// The control socket: STATE/control, AF_UNIX SOCK_SEQPACKET, mode 0600. One request is one packet with one word
// (status, sense, why, release, pause, resume), one answer is one packet of JSON. The loop never blocks on it: who does
// not read its answer at once does not get it.
#pragma once
#include <span>
#include <string_view>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

class ControlServer {
 public:
  static constexpr std::size_t kRequestBytes = 64;
  static constexpr std::size_t kAnswerBytes = 65536;

  Result<void> open(const char* state_directory);
  int fd() const { return listener_.get(); }
  // Takes one waiting connection and its request (waiting at most 50 ms for it); an empty view means nobody was there.
  std::string_view take(std::span<char> request);
  void answer(std::string_view text);

 private:
  Fd listener_, peer_;
};

// The other end, for the verbs: connects, asks, answers the agent's JSON in `buffer`. ENOENT or ECONNREFUSED: no agent.
Result<std::string_view> ask_agent(const char* state_directory, std::string_view request, std::span<char> buffer);

}  // namespace hosa
