// What levels measure an innovation by: never by less than the warm-up found it to spread.
//
// The metric grows finer with calm. A dimension that is still but for a burst once in minutes (a journal's commit on
// an idle machine: somebody waits 0.6 s for one request) enters the warm-up's variance with its bursts, but later
// bursts are gated (moments.h), so a quarter of an hour on the variance is that of the stillness between them, and the
// burst that was 3.5 spreads in the warm-up is 30. For the score that is right: it ranks rows against each other. For
// an alarm it is not: what the warm-up saw was normal. So a level asks for
//   r_i,  the spread of innovation i in the metric at the end of the warm-up, at least 2 e_i (the metric's floor),
//        and what rounding to the dimension's own steps leaves (dimension.h: scale): a number that is counted by 32
//        and stood still in the warm-up is no anomaly when it takes its first step (open files; it was level 2),
//   v_i = w_i / k_i * min(1, spread now / r_i),  beyond 8 compressed as u (mahalanobis.h),   |v| in place of T
// A spread that has grown since is used as it is. One that stays finer for a day is believed: r_i follows it down as
// the reference of drift.h follows the mean (25 h).
//
// Nine guests' recordings (3.9 h of normal time, 32 faults): 33 false alarms by u, 15 by v, 14 with 2 e_i; at rows 0.5
// s apart 24, 12, 7; 24 faults found by each, 21 at 0.5 s. 24 of the 33 were waits for one request. Three guests
// recorded afterwards (1.4 h, 8 faults), with the share of lasting.h: 13 and 5, at 0.5 s 10 and 4; 6 and 5 faults by
// either. A and GA: 4 and 8 of 11 found, one false alarm each, by either; at 0.5 s A's cachethrash is lost. 3 e_i: 13
// and 5, a fault fewer. Variances themselves held up as high instead: SMD's VUS-PR .563 -> .506.
#pragma once
#include "detect/arithmetic.h"
#include "detect/mahalanobis.h"

namespace hosa::detect {

class Yardstick {
 public:
  // The present spreads of the metric become the finest; floor_squared: e_i squared.
  void settle(const Mahalanobis& metric, const Floats& floor_squared);
  // The metric has been renewed, dt seconds after it was last.
  void renew(const Mahalanobis& metric, double dt);
  // v of the innovations w; answers |v|.
  double measure(const Mahalanobis& metric, std::span<const double> innovation, std::span<double> v) const {
    return metric.temper(innovation, finest_, v);
  }

  void at_least(std::size_t i, double spread) {
    finest_[i] = finest_[i] > static_cast<float>(spread) ? finest_[i] : static_cast<float>(spread);
  }

  // r_i in z; 0: not known.
  Vector finest() const;
  void set_finest(const Vector& finest, const Mahalanobis& metric);

 private:
  static constexpr double kLeastFloors = 2;

  Floats finest_{};
  Decay decay_{1.0 / 900000};
};

}  // namespace hosa::detect
