// The detector's step after the warm-up: how far, which level, what it is, what is learned from it, and the metric's
// renewal in portions (detector.h).
#include <algorithm>
#include <bit>

#include "detect/arithmetic.h"
#include "detect/detector.h"

namespace hosa::detect {

void Detector::judge(const Vector& y, double dt, bool learn) {
  standardize(scale_, std::span(y).first(n_), verdict_.z);
  const double counted = most_of_one(dt);
  const double a = smoothing_weight(counted);
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
  Vector v;
  trend_.add(yardstick_.measure(metric_, std::span(verdict_.innovation).first(n_), v), dt, counted);
  verdict_.smoothed = trend_.smoothed();
  verdict_.slope = trend_.slope();
  verdict_.curvature = trend_.curvature();
  verdict_.level = thresholds_.step(verdict_.smoothed, last_sample_, dt, learn);
  verdict_.thresholds = thresholds_.values();
  judge_channels(d, v, dt, counted, learn);
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

void Detector::judge_channels(const Vector& d, const Vector& v, double dt, double counted, bool learn) {
  verdict_.channel = verdict_.level > 0 ? Channel::distance : Channel::none;
  lasting_.add(v, counted);
  verdict_.lasting = lasting_.most();
  const double near = (verdict_.smoothed / verdict_.thresholds[0] - kBothFrom) / (1 - kBothFrom);
  const double least = 1 - (1 - kBothLeast) * std::clamp(near, 0.0, 1.0);
  const double stays = std::max(verdict_.lasting / least, lasting_.standing());
  if (lasting_thresholds_.step(stays, last_sample_, dt, learn) > 0)
    raise(Channel::lasting, moved_itself(d, lasting_.which()) ? lasting_.which() : verdict_.top[0]);
  verdict_.drift = drift_.step(moments_, scale_.spread, dt);
  if (verdict_.drift != Drift::kNone) raise(Channel::drift, verdict_.drift);
  if (context_.share_dimension < n_) raise(Channel::share, context_.share_dimension);
}

// An innovation is large, too, where the dimension stands still and others left it behind (a leak of descriptors that
// are no TCP sockets): then the largest contribution leads, which asks for the dimension's own deviation.
bool Detector::moved_itself(const Vector& d, std::size_t j) const {
  return d[j] * verdict_.u[j] > 0 && d[j] * d[j] >= moments_.covariance[j][j];
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
  const double season = season_.expected_load() + week_.expected_load();
  const double swing = std::max(season_.load_spread(), week_.load_spread()) / 2;
  const bool expects_less = context_.season_expects_less || (season_known() && season < -swing);
  const bool ordinary = verdict_.load_direction > -0.5 && verdict_.load_direction < 0.5;
  const bool explains = context_.season_explains || (season_known() && season > swing && ordinary);
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
  if (!metric_.advance(phase_.running.snapshot, part)) return;
  samples_since_rebuild_ = 0;
  yardstick_.renew(metric_, now - rebuilt_);
  keep_to_steps();
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

}  // namespace hosa::detect
