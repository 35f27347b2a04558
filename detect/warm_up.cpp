// The detector's first minutes: scale, moments and tails are collected, nothing is judged (detector.h).
#include <algorithm>
#include <new>

#include "detect/arithmetic.h"
#include "detect/detector.h"

namespace hosa::detect {

// Moments of the smoothed y, scale of the raw y. P2 counts samples, so it is fed at most ten times a second: an episode
// polled at 10 ms must not outweigh the quiet minutes.
void Detector::warm_up(const Vector& y, double dt, bool learn) {
  const double a = smoothing_weight(most_of_one(dt));
  for (std::size_t j = 0; j < n_; ++j) smoothed_[j] += a * (y[j] - smoothed_[j]);
  if (!learn) return;
  Scaling& scaling = phase_.warm_up.scaling;
  if (scaling.count() < 1 || last_sample_ - last_scaled_ >= 0.0999) {
    scaling.add(std::span(y).first(n_));
    last_scaled_ = last_sample_;
  }
  gauge(dt);
  moments_.learn(smoothed_, 1, forgetting_.weight(dt), dt);
  if (moments_.learned_seconds() >= warmup_seconds_ && scaling.count() >= kFewestSamples) finish_warm_up();
}

Vector Detector::floors_under(const Scale& scale) const {
  Vector squared{};
  for (std::size_t j = 0; j < n_; ++j) {
    double least = kFloorPart * dimensions_[j].floor;
    if (dimensions_[j].kind == Kind::number)
      least = std::max(least, kRounding * exponential(-std::max(0.0, static_cast<double>(scale.median[j]))));
    const double floor = least / static_cast<double>(scale.spread[j]);
    squared[j] = kLeastFloor * kLeastFloor + floor * floor;
  }
  return squared;
}

void Detector::set_scale(const Scale& scale) {
  scale_ = scale;
  const Vector floors = floors_under(scale);
  for (std::size_t j = 0; j < n_; ++j) floor_squared_[j] = static_cast<float>(floors[j]);
}

// How heavy the tail of each innovation is: every sample is measured by what the samples before it taught, under the
// scale as known so far. The provisional metric is rebuilt as often as the final one will be.
// What comes late counts in full in a reach: it may be farther, not nearer (as two at the pace: GA's VUS-PR .802 ->
// .800).
void Detector::gauge(double dt) {
  WarmUp& warm = phase_.warm_up;
  const double since = std::min(kGaugeAfterSeconds, warmup_seconds_ / 4);
  if (moments_.learned_seconds() < since || warm.scaling.count() < kFewestSamples) return;
  if (++samples_since_rebuild_ * 3 >= n_ || !metric_.ready()) {
    set_scale(warm.scaling.fit(dimensions_));
    Moments sofar = moments_;
    sofar.rescale(scale_.median, scale_.spread);
    if (!metric_.rebuild(sofar, floors_under(scale_), kCorrelated)) return;
    samples_since_rebuild_ = 0;
  }
  if (dt < 0.0999 && last_sample_ != last_scaled_) return;
  Vector d;
  for (std::size_t j = 0; j < n_; ++j) d[j] = (smoothed_[j] - moments_.mean[j]) / unit(j);
  metric_.distance(d, verdict_.innovation, verdict_.u, verdict_.contribution);
  for (std::size_t j = 0; j < n_; ++j) {
    warm.tails[j].add(std::max(verdict_.innovation[j], -verdict_.innovation[j]));
    metric_.temper(j, warm.tails[j].value());
  }
  lasting_.add(verdict_.u, dt);
  lasting_.learn(warm.reaches);
}

// Everything kept in units of y goes over to units of z: exact, z is linear in y (but for the clipping at +-300, which
// the moments of the warm-up therefore do without).
void Detector::finish_warm_up() {
  set_scale(phase_.warm_up.scaling.fit(dimensions_));
  moments_.rescale(scale_.median, scale_.spread);
  drift_.anchor(moments_.mean);
  for (std::size_t j = 0; j < n_; ++j) calm_variance_[j] = static_cast<float>(moments_.covariance[j][j]);
  for (std::size_t j = 0; j < n_; ++j) {
    smoothed_[j] = (smoothed_[j] - static_cast<double>(scale_.median[j])) / unit(j);
    metric_.temper(j, phase_.warm_up.tails[j].value());
  }
  verdict_.contribution = {};
  verdict_.innovation = {};
  lasting_.settle(phase_.warm_up.reaches);
  metric_.rebuild(moments_, floors_under(scale_), kCorrelated);
  yardstick_.settle(metric_, floor_squared_);
  keep_to_steps();
  rebuilt_ = last_sample_;
  begin_running();
}

void Detector::keep_to_steps() {
  for (std::size_t j = 0; j < n_; ++j) {
    if (dimensions_[j].kind != Kind::number || dimensions_[j].scale <= 1) continue;
    const double one = exponential(-std::max(0.0, static_cast<double>(scale_.median[j])));
    yardstick_.at_least(j, kRounding * dimensions_[j].scale * one / unit(j));
  }
}

// s begins where T usually is, not at the first sample's: two tasks that ended just then were level 1 (idle kernel
// workers go after 300 s, when a warm-up of 5 min begun at boot ends).
void Detector::begin_running() {
  trend_ = Trend();
  trend_.add(square_root(static_cast<double>(n_)), 0);
  new (&phase_.running) Running(n_);
  phase_.running.lately.begin(moments_);
  samples_since_rebuild_ = 0;
  verdict_.warming = false;
}

}  // namespace hosa::detect
