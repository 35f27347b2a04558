// From the smoothed distance to a level.
//
// Level 1 at h, levels 2, 3, 4 at 1.5 h, 2.2 h, 3.2 h (ratios of the original HOSA). h = 2.2 sqrt n at first: E[T] is
// about sqrt n, so a fixed number would alarm on 83-97 % of normal samples at n = 37, and the few minutes of a warm-up
// cannot calibrate a tail. (The 0.99 quantile of s in normal time is 1.4 sqrt n on A, 1.6 on GA; at 1.8 GA has 2 false
// alarms in 5 min; 2.5 finds two faults fewer there.) After an hour of normal time h goes to where the machine's own
// tail is crossed once a day (pot.h), within 1.6..5.5 sqrt n. A level is entered at once and left when the score has
// stayed below 0.8 of its threshold for 2 s.
#pragma once
#include <array>
#include <cstddef>

#include "detect/pot.h"

namespace hosa::detect {

inline constexpr int kLevels = 4;

class Thresholds {
 public:
  // Of level 1: before anything is known, and what it stays within.
  struct Bounds {
    double first, least, most;
  };
  explicit Thresholds(std::size_t n);
  explicit Thresholds(const Bounds& bounds);

  // Takes the smoothed distance, answers the level 0..4. undisturbed: no action is in force.
  int step(double smoothed, double now, double dt, bool undisturbed);
  int level() const { return level_; }
  const std::array<double, kLevels>& values() const { return values_; }

  TailEvidence evidence() const { return tail_.evidence(); }
  bool resume(const TailEvidence& evidence) { return tail_.resume(evidence); }

  // One threshold instead of the adaptive one (configuration); 0 goes back to adapting.
  void fix(double h) { fixed_ = h; }

 private:
  static constexpr double kRatios[kLevels] = {1, 1.5, 2.2, 3.2};
  static constexpr double kStay = 0.8;
  static constexpr double kLeaveSeconds = 2;
  void choose();

  Bounds bounds_;
  double fixed_ = 0;
  PeaksOverThreshold tail_;
  std::array<double, kLevels> values_{};
  int level_ = 0;
  bool leaving_ = false;
  double leaving_since_ = 0;
  int leaving_to_ = 0;  // highest level that the score still carried since then
};

}  // namespace hosa::detect
