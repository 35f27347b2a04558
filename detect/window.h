// Rates over one sliding window of 0.5 s, whatever the polling interval.
//
// Polled at 0.5 s or at 10 ms, the same half second lies under every rate; faster polling only moves the window in
// finer steps. (A 10 Hz rate has 1.5-2.5 times the sd of a 1 Hz rate: without this the agent alarms on its own change
// of pace.) The far edge rarely meets a reading, so totals are interpolated linearly there:
//   rate = (total(now) - total(now - 0.5 s)) / 0.5 s
// A gap in polling (stalled guest, suspended agent) thus yields the mean rate of the gap. A total that falls back (the
// counter was reset, a device was replaced) adds nothing for that interval and is counted. Used by Detector only.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "detect/dimension.h"

namespace hosa::detect {

class RateWindow {
 public:
  static constexpr double kSeconds = 0.5;
  // Readings closer together than this replace the newest instead of joining it: between readings 25 ms apart a
  // straight line at the far edge is as good as one every 10 ms, and 22 of them are half a second, however fast it is
  // polled.
  static constexpr double kSpacingSeconds = 0.0245;
  static constexpr std::size_t kReadings = 22;

  explicit RateWindow(std::span<const Dimension> dimensions) : dimensions_(dimensions) {}

  // Takes one reading (totals for cumulative dimensions, values for the others; `now` later than every `now` before)
  // and writes each dimension's value. Answers false, and no values, until half a window of history stands.
  bool add(std::span<const double> reading, double now, std::span<double> values);
  uint64_t resets() const { return resets_; }

 private:
  struct Reading {
    double time = 0;
    std::array<double, kMaxDimensions> total{};
  };
  void accumulate(std::span<const double> reading, double now);
  const Reading& kept(std::size_t age) const { return ring_[(first_ + age) % kReadings]; }

  std::span<const Dimension> dimensions_;
  std::array<Reading, kReadings> ring_{};  // kept readings, oldest at first_
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  Reading newest_{};                               // not yet in the ring
  std::array<double, kMaxDimensions> last_raw_{};  // as handed in, to see a reset
  bool started_ = false;
  uint64_t resets_ = 0;
};

}  // namespace hosa::detect
