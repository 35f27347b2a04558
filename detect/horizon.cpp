#include "detect/horizon.h"

namespace hosa::detect {

double Horizon::step(double left, double now) {
  if (!is_finite(left) || !is_finite(now) || (started_ && now <= time_)) return seconds_;
  if (!started_) {
    started_ = true;
    time_ = now;
    fast_ = slow_ = left;
    return seconds_;
  }
  const double dt = now - time_;
  time_ = now;
  const double fast_weight = fast_decay_.weight(dt);
  const double slow_weight = slow_decay_.weight(dt);
  fast_ += fast_weight * (left - fast_);
  slow_ += slow_weight * (left - slow_);
  fast_lag_ = (1 - fast_weight) * (fast_lag_ + dt);
  slow_lag_ = (1 - slow_weight) * (slow_lag_ + dt);

  const double lag = slow_lag_ - fast_lag_;
  if (lag > 0) slope_ = (fast_ - slow_) / lag;
  if (lag < kLeastLagSeconds || !(slope_ < 0))
    seconds_ = kInfinity;
  else
    seconds_ = left > 0 ? left / -slope_ : 0;
  return seconds_;
}

}  // namespace hosa::detect
