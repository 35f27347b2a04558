// The control socket: STATE/control, AF_UNIX SOCK_SEQPACKET, mode 0600. One request is one packet with one word
// (status, sense, why, release, pause, resume), one answer is one packet of JSON. The loop never blocks on it: who has
// connected may ask when he gets to it (beside hogs a client waits longer between connect and send than the agent,
// which is a real-time task, would wait for him), and who does not read its answer at once does not get it.
#pragma once
#include <array>
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
  int fd() const { return ready_.get(); }  // readable while there is something to take
  // One request, whose sender answer() goes to; empty: nobody has asked.
  std::string_view take(std::span<char> request);
  void answer(std::string_view text);

 private:
  static constexpr std::size_t kPeers = 4;  // connected, not yet asking; the oldest makes place
  void admit();

  Fd ready_, listener_, asking_;  // an epoll of its own: listener and peers
  std::array<Fd, kPeers> peers_;
  std::size_t next_ = 0;
};

// The other end, for the verbs: connects, asks, answers the agent's JSON in `buffer`. ENOENT or ECONNREFUSED: no agent.
Result<std::string_view> ask_agent(const char* state_directory, std::string_view request, std::span<char> buffer);

}  // namespace hosa
