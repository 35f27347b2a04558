// Top share: how much of a resource its largest single user takes, against the most (and least) it ever took here.
//
// A niced miner, or a burn on a machine that is saturated anyway, moves no total; but somebody takes more of it than
// anybody did before. And a service that hangs takes less than the largest user ever did. The share (of the machine, 0
// to 1) is averaged over a minute, and its record high and low are kept. Told is what lies a fifth of the machine
// beyond a record, once: the record then is there. So of honest work, however it comes, at most five reports each way
// until the records (which forget in a day) fade: a quantile or a spread would tell of every nightly job. Nothing is
// told in the first ten minutes.
#pragma once
#include "detect/arithmetic.h"

namespace hosa::detect {

class TopShare {
 public:
  // One look at everybody, dt seconds after the one before: the largest user's share. True: it is told now.
  bool add(double share, double dt);
  // A report stands for a minute.
  bool told() const { return left_seconds_ > 0; }
  double mean() const { return mean_; }
  double highest() const { return high_; }
  double lowest() const { return low_; }

 private:
  static constexpr double kBeyond = 0.2;
  static constexpr double kSettledSeconds = 120, kSilentSeconds = 600, kReportSeconds = 60;
  static constexpr double kLongestStepSeconds = 30;  // nobody looked: one look says no more

  Decay minute_{1.0 / 600}, day_{1.0 / 864000};
  double seconds_ = 0, left_seconds_ = 0;
  double mean_ = 0, high_ = 0, low_ = 1;
};

}  // namespace hosa::detect
