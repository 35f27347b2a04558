// The byte bucket: decides, from growth alone, when a hold room is frozen and when it is thawed (holding.md 3).
//
// Pure: time and growth are arguments, orders are the answer. tokens += fill * dt - growth; below zero freeze, at a
// quarter second's worth thaw; the cap is two seconds' worth, and a bucket starts empty. Growth per thawed time is the
// culprit's own behaviour, so "it has stopped pushing" needs no guess: it thaws and no freeze follows.
#pragma once
#include <array>
#include <cstdint>

namespace hosa {

enum class Pulse : uint8_t { none, freeze, thaw };

struct FreezeLimits {
  double longest_s = 5.0;         // holding.md 3: 5 s; a quarter of WATCHDOG_USEC; 1 s with mates that wait for it
  double shortest_thaw_s = 0.01;  // one sensor quantum passes before the next freeze
};

class Bucket {
 public:
  // Each freeze makes epoll_wait and recv with a timeout return EINTR: at most this many a second.
  static constexpr int kPulsesPerSecond = 4;

  void start(double now_s);
  // growth in bytes since the last step (may be negative), fill in bytes per second.
  // What the culprit itself gives back counts as tokens, up to most_credit bytes: a relay of short-lived processes that
  // frees ten megabytes and takes ten again uses up no room.
  Pulse step(double now_s, double growth_bytes, double fill_per_s, const FreezeLimits& limits, double most_credit = 0);
  // Somebody must run although the debt is not paid (a pending signal, a lock waited for): thaw now, stay thawed
  // until `until_s`.
  void let_run_until(double until_s) { run_until_s_ = until_s; }

  bool frozen() const { return frozen_; }
  double tokens() const { return tokens_; }
  double last_freeze_s() const { return frozen_ ? now_s_ : thawed_s_; }  // end of the last freeze, or now
  uint64_t freezes() const { return freezes_; }
  double frozen_total_s() const { return frozen_total_s_; }

 private:
  Pulse thaw(double now_s);

  double now_s_ = 0, tokens_ = 0, frozen_since_s_ = -1e9, thawed_s_ = -1e9, run_until_s_ = -1e9, frozen_total_s_ = 0;
  bool frozen_ = false;
  uint64_t freezes_ = 0;
};

}  // namespace hosa
