// The byte bucket: decides, from growth alone, when a hold room is frozen and when it is thawed (holding.md 3).
//
// Pure: time and growth are arguments, orders are the answer. tokens += fill * dt - growth; below zero freeze, at a
// quarter second's worth thaw; the cap is two seconds' worth, and a bucket starts empty. Growth per thawed time is the
// culprit's own behaviour, so "it has stopped pushing" needs no guess: it thaws and no freeze follows.
#pragma once
#include <cstddef>
#include <cstdint>

namespace hosa {

enum class Pulse : uint8_t { none, freeze, thaw };

struct FreezeLimits {
  double longest_s = 5.0;         // holding.md 3: 5 s; a quarter of WATCHDOG_USEC; 1 s with mates that wait for it
  double shortest_thaw_s = 0.01;  // one sensor quantum passes before the next freeze
  // A crowd (more than kCrowd processes) that grows when thawed is frozen again for a second, whatever tokens it has:
  // after a sleep each of them is due for a scheduler tick before its neighbours, SCHED_IDLE or not (CFS places who
  // wakes up just below min_vruntime). Measured on 6.1, one CPU, 30 processes: neighbours waited 30-90 ms at each thaw.
  bool crowd = false;
  // A byte quota of the probes says when it has been handed kCrowdBytes; without one it runs for 3 ms. The cgroup's own
  // count alone does not do: it moves by 256 KB at a time (MEMCG_CHARGE_BATCH, 64 pages per CPU), so a page fault of
  // somebody who woke up to end is growth.
  bool watched = false, quota_used = false;
};

class Bucket {
 public:
  // Each freeze makes epoll_wait and recv with a timeout return EINTR: at most this many a second.
  static constexpr int kPulsesPerSecond = 4;
  static constexpr std::size_t kCrowd = 4;
  static constexpr double kCrowdThawS = 0.003, kCrowdFreezeS = 1.0;
  static constexpr uint64_t kCrowdBytes = 64 * 1024;
  // A crowd of low weight runs behind everybody: each of twenty may get on with what it is at (relay, 6.1: with 64 KB
  // its end came 1.2-4.7 s late).
  static constexpr uint64_t kLightCrowdBytes = 512 * 1024;
  static constexpr double kGrainBytes = 64 * 1024;  // less is the sensor's noise
  static constexpr double kEndingBytes = 1024 * 1024;

  void start(double now_s);
  // growth in bytes since the last step (may be negative), fill in bytes per second.
  // What the culprit gives back counts like any token, so a relay that frees ten megabytes and takes ten again uses up
  // no room; with more credit than the cap it ran for 3 s without a freeze and counted as quiet (measured).
  Pulse step(double now_s, double growth_bytes, double fill_per_s, const FreezeLimits& limits);
  // Somebody must run although the debt is not paid (a pending signal, a lock waited for): thaw now, stay thawed
  // until `until_s`.
  void let_run_until(double until_s) { run_until_s_ = until_s; }

  // When the running pulse can end, if nothing grows: a thaw that is due, or the end of a crowd's thaw.
  double next_s(double fill_per_s, const FreezeLimits& limits) const;
  double crowd_until_s() const { return thawed_s_ + kCrowdThawS; }

  bool frozen() const { return frozen_; }
  double tokens() const { return tokens_; }
  // Since when it could have shown that it pushes, and has not. While a crowd's processes end, what they give back
  // hides what those born meanwhile take: a relay on 16 KiB pages gave back 160 MB within the three seconds that count
  // as quiet, was let go, and took 170 MB in the next one.
  double quiet_since_s() const { return frozen_ ? now_s_ : quiet_since_s_; }
  double thawed_s() const { return thawed_s_; }
  uint64_t freezes() const { return freezes_; }
  double frozen_total_s() const { return frozen_total_s_; }

 private:
  Pulse thaw(double now_s);
  void note_growth(double growth_bytes, bool crowd);
  bool crowd_is_over(double ran_s, const FreezeLimits& limits) const;
  static double least_freeze_s(const FreezeLimits& limits);

  double now_s_ = 0, tokens_ = 0, frozen_since_s_ = -1e9, thawed_s_ = -1e9, run_until_s_ = -1e9, frozen_total_s_ = 0;
  double grown_bytes_ = 0, least_bytes_ = 0;  // since the last thaw
  double quiet_since_s_ = -1e9;
  bool frozen_ = false;
  uint64_t freezes_ = 0;
};

}  // namespace hosa
