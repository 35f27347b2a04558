#include "detect/pot.h"

#include <algorithm>

#include "detect/arithmetic.h"

namespace hosa::detect {

TailShape fit_tail(double mean, double variance) {
  if (!(variance > 0)) return {-0.5, mean};
  const double ratio = mean * mean / variance;
  return {std::clamp(0.5 * (1 - ratio), -0.5, 0.5), 0.5 * mean * (ratio + 1)};
}

double tail_excess(const TailShape& shape, double ratio) {
  const double reach = -natural_log(ratio);
  if (shape.xi > -1e-9 && shape.xi < 1e-9) return shape.sigma * reach;
  return shape.sigma * exponential_minus_one(shape.xi * reach) / shape.xi;
}

void PeaksOverThreshold::add(double score, double now, double dt, bool alarmed, bool undisturbed) {
  if (!undisturbed) spoiled_ = true;
  if (undisturbed && !alarmed) {
    normal_seconds_ += dt;
    if (!base_started_ || now >= next_base_time_) {  // ten a second at most, or an episode's fast polling would rule u
      base_.add(score);
      base_started_ = true;
      next_base_time_ = now + 0.0999;
    }
  }
  if (normal_seconds_ < kQuantileSeconds) return;
  const double excess = score - base_.value();
  if (excess > 0) {
    if (!inside_) {
      inside_ = true;
      spoiled_ = !undisturbed;
      began_ = now;
      peak_ = 0;
    }
    peak_ = std::max(peak_, excess);
    last_above_ = now;
  } else if (inside_ && now - last_above_ >= kDeclusterSeconds) {
    close_excursion();
  }
}

void PeaksOverThreshold::close_excursion() {
  inside_ = false;
  if (spoiled_ || last_above_ - began_ > kLongestExcursionSeconds) return;
  count_ += 1;
  const double a = std::max(1 / count_, 1e-3);
  const double d = peak_ - mean_;
  mean_ += a * d;
  variance_ = (1 - a) * (variance_ + a * d * d);
  if (normal_seconds_ > 2 * kPeriodSeconds) {  // the last day or two rule
    normal_seconds_ /= 2;
    count_ /= 2;
    base_.halve();
  }
  refit();
}

TailEvidence PeaksOverThreshold::evidence() const {
  if (base_.count() < 5) return {};
  return {normal_seconds_, count_, mean_, variance_, base_.count(), base_.heights(), base_.positions()};
}

bool PeaksOverThreshold::resume(const TailEvidence& evidence) {
  if (evidence.scores == 0) return true;
  const auto amount = [](double x, double most) { return x >= 0 && x <= most; };
  if (!amount(evidence.normal_seconds, 1e9) || !amount(evidence.excursions, 1e9)) return false;
  if (!amount(evidence.mean, 1e12) || !amount(evidence.variance, 1e24)) return false;
  if (!base_.resume(evidence.scores, evidence.heights, evidence.positions)) return false;
  normal_seconds_ = evidence.normal_seconds;
  count_ = evidence.excursions;
  mean_ = evidence.mean;
  variance_ = evidence.variance;
  refit();
  return true;
}

void PeaksOverThreshold::refit() {
  if (normal_seconds_ < kEvidenceSeconds || count_ < kEvidencePeaks) return;
  const double rate = count_ / (normal_seconds_ - kQuantileSeconds);
  level_ = base_.value() + tail_excess(fit_tail(mean_, variance_), std::min(1.0, 1 / (rate * kPeriodSeconds)));
}

}  // namespace hosa::detect
