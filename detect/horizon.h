// Horizon: seconds until an exhaustible resource (memory, swap, pids, descriptors, disk) is gone at its present pace.
// One object per resource; the loop calls step() at every tick, also while warming up: nothing here is learned.
//
//   T = left / max(0, -slope of left)
// Slope from two EWMAs of the level, weights 0.1 and 0.02 per 0.1 s. On a ramp of slope b an EWMA lags the level by
// b * lag with lag = (1-a)/a * dt once settled (0.9 s and 4.9 s at 10 Hz), hence fast - slow = b * (lag_slow -
// lag_fast). The lag of a unit ramp is carried along by the EWMA's own recursion, lag = (1-a)(lag + dt), so the slope
// of a ramp is exact from its second reading on and at any mixture of polling intervals. A level that had been still
// shows 63 % of a new slope after 4 s; a leak of 50 MB/s on 512 MB is below 120 s after 0.9 s, one of 5 MB/s after 6.2
// s.
#pragma once
#include "detect/arithmetic.h"

namespace hosa::detect {

class Horizon {
 public:
  // Shorter than this is level 1: no false alarm in 0.58 h of normal time on two machines (detection.md 3).
  static constexpr double kShortSeconds = 120;

  // left: what remains, any unit; now: seconds. Answers seconds, infinity while nothing shrinks or while less than
  // about 2.4 s of history stands. A reading that is not finite or not newer changes nothing.
  double step(double left, double now);
  double seconds() const { return seconds_; }
  double slope() const { return slope_; }  // of `left`, per second; negative while it shrinks

 private:
  static constexpr double kLeastLagSeconds = 1.0;  // shorter histories are two readings and a guess

  Decay fast_decay_{0.1};
  Decay slow_decay_{0.02};
  bool started_ = false;
  double time_ = 0;
  double fast_ = 0, slow_ = 0;
  double fast_lag_ = 0, slow_lag_ = 0;
  double slope_ = 0;
  double seconds_ = kInfinity;
};

}  // namespace hosa::detect
