// What survives a restart: taken out of a detector, and laid into one after every number of it has been checked.
#include <algorithm>

#include "detect/detector.h"

namespace hosa::detect {

void Detector::save(Baseline& baseline) const {
  baseline.n = n_;
  baseline.learned_seconds = moments_.learned_seconds();
  baseline.effective_samples = moments_.effective_samples();
  baseline.scale = scale_;
  baseline.mean = moments_.mean;
  baseline.covariance = moments_.covariance;
  for (std::size_t j = 0; j < n_; ++j) baseline.tail[j] = metric_.tail(j);
  baseline.reach = lasting_.reach();
  baseline.finest = yardstick_.finest();
  baseline.evidence = thresholds_.evidence();
}

bool Detector::restore(const Baseline& baseline) {
  if (baseline.n != n_ || !(baseline.learned_seconds > 0) || !is_finite(baseline.learned_seconds)) return false;
  if (!(baseline.effective_samples >= 1) || !is_finite(baseline.effective_samples)) return false;
  for (std::size_t i = 0; i < n_; ++i) {
    if (!is_finite(static_cast<double>(baseline.scale.median[i])) ||
        !is_finite(static_cast<double>(baseline.scale.spread[i])))
      return false;
    if (!(baseline.scale.spread[i] > 0) || !is_finite(baseline.mean[i]) || !(baseline.covariance[i][i] >= 0))
      return false;
    for (std::size_t j = 0; j <= i; ++j)
      if (!is_finite(baseline.covariance[i][j])) return false;
  }
  Moments moments(n_);
  moments.mean = baseline.mean;
  moments.covariance = baseline.covariance;
  moments.resume(baseline.learned_seconds, baseline.effective_samples);
  Mahalanobis metric(n_);
  if (!metric.rebuild(moments, floors_under(baseline.scale), kCorrelated)) return false;  // not a covariance
  for (std::size_t i = 0; i < n_; ++i) {
    const double k = baseline.tail[i];
    if (!is_finite(k) || k < 0 || !is_finite(baseline.reach[i]) || baseline.reach[i] < 0) return false;
    if (!is_finite(baseline.finest[i]) || baseline.finest[i] < 0) return false;
    metric.set_tail(i, std::max(1.0, k));
  }
  Thresholds thresholds(n_);
  if (!thresholds.resume(baseline.evidence)) return false;
  begin(warmup_seconds_);
  thresholds_ = thresholds;
  set_scale(baseline.scale);
  moments_ = moments;
  metric_ = metric;
  yardstick_.set_finest(baseline.finest, metric);
  keep_to_steps();
  drift_.anchor(moments_.mean);
  lasting_.set_reach(baseline.reach);
  for (std::size_t j = 0; j < n_; ++j) calm_variance_[j] = static_cast<float>(moments_.covariance[j][j]);
  begin_running();
  return true;
}

}  // namespace hosa::detect
