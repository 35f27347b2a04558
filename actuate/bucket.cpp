#include "actuate/bucket.h"

#include <algorithm>

namespace hosa {

void Bucket::start(double now_s) {
  *this = Bucket{};
  now_s_ = now_s;
  thawed_s_ = now_s;
}

Pulse Bucket::thaw(double now_s) {
  frozen_ = false;
  frozen_total_s_ += now_s - frozen_since_s_;
  thawed_s_ = now_s;
  return Pulse::thaw;
}

Pulse Bucket::step(double now_s, double growth_bytes, double fill_per_s, const FreezeLimits& limits,
                   double most_credit) {
  tokens_ = std::max(tokens_, std::min(tokens_ + fill_per_s * (now_s - now_s_), 2 * fill_per_s));
  tokens_ =
      growth_bytes > 0 ? tokens_ - growth_bytes : std::max(tokens_, std::min(tokens_ - growth_bytes, most_credit));
  now_s_ = now_s;
  const bool must_run = now_s < run_until_s_;
  if (!frozen_) {
    const bool rested = now_s - thawed_s_ >= limits.shortest_thaw_s;
    if (tokens_ >= 0 || must_run || !rested) return Pulse::none;
    frozen_ = true;
    frozen_since_s_ = now_s;
    ++freezes_;
    return Pulse::freeze;
  }
  const double age_s = now_s - frozen_since_s_;
  if (must_run || age_s >= limits.longest_s) return thaw(now_s);
  // The pulse limit is kept by freezing longer, never by running longer: that errs towards the machine.
  const bool paid = tokens_ >= fill_per_s / 4 && fill_per_s > 0;
  return paid && age_s >= 1.0 / kPulsesPerSecond ? thaw(now_s) : Pulse::none;
}

}  // namespace hosa
