#include "detect/detector.h"

#include <algorithm>
#include <bit>
#include <new>

#include "detect/arithmetic.h"

namespace hosa::detect {

const char* rejection_name(Rejection reason) {
  switch (reason) {
    case Rejection::none: return "none";
    case Rejection::not_finite: return "not_finite";
    case Rejection::older: return "older";
    case Rejection::wrong_size: return "wrong_size";
  }
  return "unknown";
}

const char* channel_name(Channel channel) {
  switch (channel) {
    case Channel::none: return "none";
    case Channel::distance: return "distance";
    case Channel::lasting: return "lasting";
    case Channel::drift: return "drift";
    case Channel::share: return "share";
  }
  return "unknown";
}

Detector::Detector(std::span<const Dimension> dimensions)
    : dimensions_(dimensions.first(std::min(dimensions.size(), kMaxDimensions))),
      n_(dimensions_.size()),
      window_(dimensions_),
      moments_(n_),
      metric_(n_),
      thresholds_(n_),
      drift_(dimensions_),
      lasting_(n_),
      season_(n_) {
  verdict_.n = n_;
  verdict_.thresholds = thresholds_.values();
}

void Detector::begin(double warmup_seconds) {
  const auto counted = rejected_;
  const Season season = season_;
  *this = Detector(dimensions_);
  rejected_ = counted;
  season_ = season;
  season_.forget();
  warmup_seconds_ = warmup_seconds;
}

const Rejected& Detector::last_rejected(std::size_t age) const {
  return kept_rejections_[(rejections_ + 2 * kKeptRejections - 1 - age % kKeptRejections) % kKeptRejections];
}

double Detector::warmup_left_seconds() const {
  if (!verdict_.warming) return 0;
  return std::max(0.0, warmup_seconds_ - moments_.learned_seconds());
}

bool Detector::accept(std::span<const double> raw, double now) {
  Rejected bad{.time = now};
  if (raw.size() != n_) {
    bad.reason = Rejection::wrong_size;
  } else if (!is_finite(now)) {
    bad.reason = Rejection::not_finite;
  } else if (any_reading_ && now <= last_reading_) {
    bad.reason = Rejection::older;
  } else {
    for (std::size_t j = n_; j-- > 0;) {
      if (is_finite(raw[j])) continue;
      bad.reason = Rejection::not_finite;
      bad.dimension = static_cast<uint8_t>(j);
    }
  }
  verdict_.rejection = bad.reason;
  if (bad.reason == Rejection::none) return true;
  ++rejected_[static_cast<std::size_t>(bad.reason)];
  kept_rejections_[rejections_++ % kKeptRejections] = bad;
  return false;
}

const Verdict& Detector::step(std::span<const double> raw, double now, bool learn) {
  if (!accept(raw, now)) return verdict_;
  any_reading_ = true;
  last_reading_ = now;
  if (!window_.add(raw, now, verdict_.value)) return verdict_;

  const double dt = any_sample_ ? std::min(now - last_sample_, kLongestStepSeconds) : 0;
  any_sample_ = true;
  last_sample_ = now;
  Vector y;
  transform_each(dimensions_, verdict_.value.data(), y.data());
  if (season_.looking()) take_off_season(y, dt, learn);
  if (verdict_.warming)
    warm_up(y, dt, learn);
  else
    judge(y, dt, learn);
  return verdict_;
}

// What the season explains is no deviation.
void Detector::take_off_season(Vector& y, double dt, bool learn) {
  if (load_unit_.count() < kLoadSamples) return load_unit_.add(std::span(y).first(n_));
  const bool was_known = season_.known();
  Vector before, after;
  for (std::size_t j = 0; j < n_; ++j) before[j] = season_.expected(j);
  const double seconds = !learn ? 0 : verdict_.level == 0 ? dt : 0.1 * dt;
  season_.add(std::span(y).first(n_), load_unit_.load(dimensions_, y), context_.calendar_seconds, seconds);
  for (std::size_t j = 0; j < n_; ++j) {
    after[j] = season_.expected(j);
    y[j] -= after[j];
    before[j] -= after[j];
  }
  if (season_.known() != was_known) move_normal(y, before);
}

// A season became known or was given up, and every y moved by so much: the normal moves with it, so that nothing jumps.
// A warm-up that goes on begins anew, because what it has collected is as wide as the season.
void Detector::move_normal(const Vector& y, const Vector& by) {
  if (verdict_.warming) {
    if (!season_.known()) return;
    phase_.warm_up = WarmUp{};
    moments_ = Moments(n_);
    metric_ = Mahalanobis(n_);
    lasting_ = Lasting(n_);
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

// A pause longer than the pace makes one sample no truer: it weighs as much as two at the pace, at least 0.1 s. (A
// guest that stalls for seconds; GA: VUS-PR .744 without, .757 with it.)
double Detector::smoothing_weight(double dt) {
  const double most = std::max(0.1, 2 * pace_);
  pace_ = dt;
  return dt > 0 ? smoothing_.weight(std::min(dt, most)) : 1;
}

// Moments of the smoothed y, scale of the raw y. P2 counts samples, so it is fed at most ten times a second: an episode
// polled at 10 ms must not outweigh the quiet minutes.
void Detector::warm_up(const Vector& y, double dt, bool learn) {
  const double a = smoothing_weight(dt);
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
    const double floor = kFloorPart * dimensions_[j].floor / static_cast<double>(scale.spread[j]);
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
  rebuilt_ = last_sample_;
  begin_running();
}

void Detector::begin_running() {
  new (&phase_.running) Running(n_);
  phase_.running.lately.begin(moments_);
  samples_since_rebuild_ = 0;
  verdict_.warming = false;
}

void Detector::judge(const Vector& y, double dt, bool learn) {
  standardize(scale_, std::span(y).first(n_), verdict_.z);
  const double a = smoothing_weight(dt);
  Vector d;
  for (std::size_t j = 0; j < n_; ++j) {
    smoothed_[j] += a * (verdict_.z[j] - smoothed_[j]);
    d[j] = smoothed_[j] - moments_.mean[j];
  }
  const auto found = metric_.distance(d, verdict_.innovation, verdict_.u, verdict_.contribution);
  verdict_.distance = found.plain;
  verdict_.tempered = found.tempered;
  verdict_.load_direction = metric_.load_direction(d, dimensions_);
  find_top();
  trend_.add(verdict_.tempered, dt);
  verdict_.smoothed = trend_.smoothed();
  verdict_.slope = trend_.slope();
  verdict_.curvature = trend_.curvature();
  verdict_.level = thresholds_.step(verdict_.smoothed, last_sample_, dt, learn);
  verdict_.thresholds = thresholds_.values();
  judge_channels(dt, learn);
  name_regime(dt, learn);
  if (learn) {
    const double trust =
        verdict_.habituating ? 1 : trust_at(verdict_.distance, kTolerance * square_root(static_cast<double>(n_)));
    moments_.learn(smoothed_, trust, forgetting_.weight(dt), dt, kMeanTrust);
    if (thresholds_.level() == 0) recover(d, trust, dt);
  }
  recent_seconds_ += dt;
  if (recent_seconds_ >= kRecentEvery) {
    phase_.running.lately.blend(std::span(smoothed_).first(n_), recent_decay_.weight(recent_seconds_));
    recent_seconds_ = 0;
  }
  rebuild_in_portions(last_sample_);
}

void Detector::judge_channels(double dt, bool learn) {
  verdict_.channel = verdict_.level > 0 ? Channel::distance : Channel::none;
  lasting_.add(verdict_.u, dt);
  verdict_.lasting = lasting_.most();
  const double near = (verdict_.smoothed / verdict_.thresholds[0] - kBothFrom) / (1 - kBothFrom);
  const double least = 1 - (1 - kBothLeast) * std::clamp(near, 0.0, 1.0);
  if (lasting_thresholds_.step(verdict_.lasting / least, last_sample_, dt, learn) > 0)
    raise(Channel::lasting, lasting_.which());
  verdict_.drift = drift_.step(moments_, scale_.spread, dt);
  if (verdict_.drift != Drift::kNone) raise(Channel::drift, verdict_.drift);
  if (context_.share_dimension < n_) raise(Channel::share, context_.share_dimension);
}

// To level 1, and the dimension leads; where the level stands already, what raised it leads.
void Detector::raise(Channel channel, std::size_t dimension) {
  if (verdict_.level > 0) return;
  verdict_.level = 1;
  verdict_.channel = channel;
  auto& top = verdict_.top;
  const std::size_t at = top[0] == dimension ? 0 : top[1] == dimension ? 1 : 2;
  for (std::size_t k = at; k > 0; --k) top[k] = top[k - 1];
  top[0] = dimension;
}

void Detector::recover(const Vector& d, double trust, double dt) {
  const float a = static_cast<float>(trust * calm_decay_.weight(dt));
  const double back = recovery_decay_.weight(dt);
  Vector factor;
  bool inflated = false;
  for (std::size_t j = 0; j < n_; ++j) {
    calm_variance_[j] += a * (static_cast<float>(d[j] * d[j]) - calm_variance_[j]);
    const double most = kInflated * static_cast<double>(calm_variance_[j] + floor_squared_[j]);
    const double part = most / moments_.covariance[j][j];
    factor[j] = part < 1 ? square_root(1 - back * (1 - part)) : 1;
    inflated = inflated || part < 1;
  }
  if (inflated) moments_.damp(factor);
}

void Detector::name_regime(double dt, bool learn) {
  verdict_.climb += climb_decay_.weight(dt) * (verdict_.slope - verdict_.climb);
  const double season = season_.expected_load(), swing = season_.load_spread() / 2;
  const bool expects_less = context_.season_expects_less || (season_.known() && season < -swing);
  const bool ordinary = verdict_.load_direction > -0.5 && verdict_.load_direction < 0.5;
  const bool explains = context_.season_explains || (season_.known() && season > swing && ordinary);
  verdict_.regime =
      regime_of({verdict_.level, verdict_.smoothed, verdict_.thresholds[0], verdict_.climb, verdict_.load_direction,
                 verdict_.deformation, context_.seconds_left, context_.entropy_change, context_.work_efficiency,
                 context_.propagation, context_.excess, expects_less, explains});
  verdict_.habituating =
      habituation_.step({thresholds_.level(), verdict_.smoothed, verdict_.climb, verdict_.thresholds[0],
                         verdict_.thresholds[kLevels - 1], verdict_.deformation, context_.entropy_change,
                         context_.propagation, context_.seconds_left, verdict_.load_direction, expects_less, !learn},
                        dt);
}

// A third of n samples for one metric and two more: rho at the first, the shrinkage at the second, half of the rows at
// the third, a portion of the others at each that follows. Where samples are rare whatever is left is done at once, so
// that the metric is never older than a second or two samples.
void Detector::rebuild_in_portions(double now) {
  const double portions = std::max(1.0, static_cast<double>(n_ / 3));
  const std::size_t stage = samples_since_rebuild_++;
  const bool late = stage > 0 && now - rebuilt_ >= 1;
  if (stage == 0) {
    rebuilt_ = now;
    verdict_.deformation = phase_.running.lately.deformation(moments_);
  }
  if (stage == 1) metric_.begin_shrinkage(moments_, floors_under(scale_), kCorrelated);
  if (stage == 2 || (late && stage < 2))
    metric_.begin(phase_.running.snapshot, moments_.covariance, floors_under(scale_));
  if (stage < 3 && !late) return;
  const double part = late ? 1 : static_cast<double>(stage - 1) / portions;
  if (metric_.advance(phase_.running.snapshot, part)) samples_since_rebuild_ = 0;
}

// Each contribution carries its index in its lowest bits (2^-46 of it), so that three largest are kept by maxima and
// minima alone: branches here were guessed wrong so often that they took a fifteenth of a step.
void Detector::find_top() {
  constexpr uint64_t kIndex = 63;
  static_assert(kMaxDimensions <= kIndex + 1);
  double first = -kInfinity, second = first, third = first;
  for (std::size_t j = 0; j < n_; ++j) {
    const uint64_t bits = std::bit_cast<uint64_t>(verdict_.contribution[j]);
    const double c = std::bit_cast<double>((bits & ~kIndex) | (kIndex - j));  // of equals the first is larger
    const double one = std::min(first, c), two = std::min(second, one);
    first = std::max(first, c);
    second = std::max(second, one);
    third = std::max(third, two);
  }
  const uint64_t last = std::max<std::size_t>(n_, 1) - 1;  // what is no number at all names nobody else
  const auto index = [last](double c) { return std::min(kIndex - (std::bit_cast<uint64_t>(c) & kIndex), last); };
  auto& best = verdict_.top;
  best = {index(first), index(second), index(third)};
  for (std::size_t k = std::max<std::size_t>(n_, 1); k < best.size(); ++k) best[k] = best[k - 1];
}

void Detector::save(Baseline& baseline) const {
  baseline.n = n_;
  baseline.learned_seconds = moments_.learned_seconds();
  baseline.effective_samples = moments_.effective_samples();
  baseline.scale = scale_;
  baseline.mean = moments_.mean;
  baseline.covariance = moments_.covariance;
  for (std::size_t j = 0; j < n_; ++j) baseline.tail[j] = metric_.tail(j);
  baseline.reach = lasting_.reach();
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
    metric.set_tail(i, std::max(1.0, k));
  }
  Thresholds thresholds(n_);
  if (!thresholds.resume(baseline.evidence)) return false;
  begin(warmup_seconds_);
  thresholds_ = thresholds;
  set_scale(baseline.scale);
  moments_ = moments;
  metric_ = metric;
  drift_.anchor(moments_.mean);
  lasting_.set_reach(baseline.reach);
  for (std::size_t j = 0; j < n_; ++j) calm_variance_[j] = static_cast<float>(moments_.covariance[j][j]);
  begin_running();
  return true;
}

bool Detector::normal(std::size_t i, Normal& out) const {
  if (verdict_.warming || i >= n_) return false;
  const double deviation = 2 * __builtin_sqrt(std::max(0.0, moments_.covariance[i][i]));
  const auto value_at = [&](double z) {
    return std::max(0.0, untransform(dimensions_[i], static_cast<double>(scale_.median[i]) + z * unit(i)));
  };
  out = {value_at(moments_.mean[i]), value_at(moments_.mean[i] - deviation), value_at(moments_.mean[i] + deviation)};
  return true;
}

}  // namespace hosa::detect
