// Drift: a load that creeps up more slowly than the baseline forgets is learned as it comes and never raises the
// distance. So the learned mean is compared with a reference that adapts 100 times more slowly (25 h).
//
// A dimension has drifted when its mean has left its reference towards more load (either way where the table gives no
// direction) by more than 3 spreads: of the warm-up and of the covariance, whichever is larger, and by enough to matter
// to a person: a load that doubled, a fifth of a CPU or of its time, a twentieth of memory. (Spread alone would not do:
// the floor of a fraction is 0.005, and no machine keeps its memory that still for a day.) Being told is once: the
// reference then moves to the mean, so that the next report is of as much again, and the report stands for a minute.
// Found: 1 % a minute after it has doubled (with the mean's own lag of 15 min at 2.4 times), 0.2 % of memory a minute
// after 30 min.
#pragma once
#include "detect/arithmetic.h"
#include "detect/moments.h"

namespace hosa::detect {

class Drift {
 public:
  static constexpr std::size_t kNone = SIZE_MAX;

  explicit Drift(std::span<const Dimension> dimensions) : dimensions_(dimensions) {}

  // The mean becomes the reference.
  void anchor(const Vector& mean) { reference_ = mean; }
  // mean and variance in units of spread (z); dt seconds after the step before. Answers which() .
  std::size_t step(const Moments& moments, const Floats& spread, double dt);
  // The dimension reported last, for a minute; else kNone.
  std::size_t which() const { return left_seconds_ > 0 ? which_ : kNone; }

 private:
  static constexpr double kSpreads = 3;
  static constexpr double kReportSeconds = 60;

  std::span<const Dimension> dimensions_;
  Vector reference_{};
  Decay decay_{1.0 / 900000};  // a hundredth of the mean's
  std::size_t which_ = kNone;
  double left_seconds_ = 0;
};

}  // namespace hosa::detect
