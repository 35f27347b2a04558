#include "detect/top_share.h"

#include <algorithm>

namespace hosa::detect {

bool TopShare::add(double share, double dt) {
  if (!(share >= 0) || !(dt > 0) || !is_finite(dt)) return false;
  const double step = std::min(dt, kLongestStepSeconds);
  left_seconds_ -= dt;
  mean_ += (seconds_ > 0 ? minute_.weight(step) : 1) * (std::min(share, 1.0) - mean_);
  seconds_ += step;
  if (seconds_ < kSettledSeconds) return false;  // the first mean is one look
  const double fade = day_.weight(step);
  high_ += fade * (mean_ - high_);
  low_ += fade * (mean_ - low_);
  const bool beyond = mean_ > high_ + kBeyond || mean_ < low_ - kBeyond;
  const bool learning = seconds_ < kSilentSeconds;
  if (learning || beyond) {
    high_ = std::max(high_, mean_);
    low_ = std::min(low_, mean_);
  }
  if (learning || !beyond) return false;
  left_seconds_ = kReportSeconds;
  return true;
}

}  // namespace hosa::detect
