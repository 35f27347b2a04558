#include "actuate/bucket.h"

#include <algorithm>

namespace hosa {

void Bucket::start(double now_s) {
  *this = Bucket{};
  now_s_ = now_s;
  thawed_s_ = quiet_since_s_ = now_s;
}

Pulse Bucket::thaw(double now_s) {
  frozen_ = false;
  grown_bytes_ = least_bytes_ = 0;
  frozen_total_s_ += now_s - frozen_since_s_;
  thawed_s_ = quiet_since_s_ = now_s;
  return Pulse::thaw;
}

void Bucket::note_growth(double growth_bytes, bool crowd) {
  grown_bytes_ += growth_bytes;
  if (!crowd || grown_bytes_ > least_bytes_ - kEndingBytes) return;
  least_bytes_ = grown_bytes_;
  quiet_since_s_ = now_s_;
}

bool Bucket::crowd_is_over(double ran_s, const FreezeLimits& limits) const {
  if (!limits.crowd || grown_bytes_ < kGrainBytes) return false;
  return limits.watched ? limits.quota_used : ran_s >= kCrowdThawS;
}

Pulse Bucket::step(double now_s, double growth_bytes, double fill_per_s, const FreezeLimits& limits) {
  const double cap = std::max(2 * fill_per_s, tokens_);  // a lower fill takes away nothing that was earned
  tokens_ = std::min(tokens_ + fill_per_s * (now_s - now_s_) - growth_bytes, cap);
  now_s_ = now_s;
  const bool must_run = now_s < run_until_s_;
  if (!frozen_) {
    note_growth(growth_bytes, limits.crowd);
    const double ran_s = now_s - thawed_s_;
    const bool over = crowd_is_over(ran_s, limits);
    const bool in_debt = tokens_ < 0 && ran_s >= limits.shortest_thaw_s;
    if (must_run || !(over || in_debt)) return Pulse::none;
    frozen_ = true;
    frozen_since_s_ = now_s;
    ++freezes_;
    return Pulse::freeze;
  }
  const double age_s = now_s - frozen_since_s_;
  if (must_run || age_s >= limits.longest_s) return thaw(now_s);
  // The pulse limit is kept by freezing longer, never by running longer: that errs towards the machine.
  const bool paid = tokens_ >= fill_per_s / 4 && fill_per_s > 0;
  return paid && age_s >= least_freeze_s(limits) ? thaw(now_s) : Pulse::none;
}

double Bucket::least_freeze_s(const FreezeLimits& limits) {
  return limits.crowd ? kCrowdFreezeS : 1.0 / kPulsesPerSecond;
}

double Bucket::next_s(double fill_per_s, const FreezeLimits& limits) const {
  if (!frozen_) return limits.crowd && !limits.watched ? thawed_s_ + kCrowdThawS : now_s_;
  const double longest_s = frozen_since_s_ + limits.longest_s;
  if (fill_per_s <= 0) return longest_s;
  const double paid_s = now_s_ + (fill_per_s / 4 - tokens_) / fill_per_s;
  return std::min(longest_s, std::max(frozen_since_s_ + least_freeze_s(limits), paid_s));
}

}  // namespace hosa
