// The season's part in a step: what the time of day explains is no deviation (season.h).
#include "detect/detector.h"

namespace hosa::detect {

void Detector::take_off_season(Vector& y, double dt, bool learn) {
  if (load_unit_.count() < kLoadSamples) return load_unit_.add(std::span(y).first(n_));
  const bool day_known = season_.known(), week_known = week_.known();
  Vector before, after;
  for (std::size_t j = 0; j < n_; ++j) before[j] = season_explains(j);
  const double seconds = !learn ? 0 : verdict_.level == 0 ? dt : 0.1 * dt;
  const double load = load_unit_.load(dimensions_, y);
  season_.add(std::span(y).first(n_), load, context_.calendar_seconds, seconds);
  Vector left = y;
  for (std::size_t j = 0; j < n_; ++j) left[j] -= season_.expected(j);
  if (week_.looking())
    week_.add(std::span(left).first(n_), load - season_.expected_load(), context_.calendar_seconds, seconds);
  for (std::size_t j = 0; j < n_; ++j) {
    after[j] = season_explains(j);
    y[j] -= after[j];
    before[j] -= after[j];
  }
  if (season_.known() != day_known || week_.known() != week_known) move_normal(y, before);
}

// A season became known or was given up, and every y moved by so much: the normal moves with it, so that nothing jumps.
// A warm-up that goes on begins anew, because what it has collected is as wide as the season.
void Detector::move_normal(const Vector& y, const Vector& by) {
  if (verdict_.warming) {
    if (!season_known()) return;
    phase_.warm_up = WarmUp{};
    moments_ = Moments(n_);
    metric_ = Mahalanobis(n_);
    lasting_ = Lasting(dimensions_);
    smoothed_ = y;
    return;
  }
  for (std::size_t j = 0; j < n_; ++j) {
    const double z = by[j] / unit(j);
    moments_.mean[j] += z;
    phase_.running.lately.shift(j, z);
    smoothed_[j] += z;
  }
  drift_.anchor(moments_.mean);
}

}  // namespace hosa::detect
