#include "tools/hosa/replay_score.h"

#include <algorithm>

#include "detect/arithmetic.h"
#include "detect/horizon.h"

namespace hosa {
namespace {

constexpr double kSteadyWeight = 0.1, kOldWeight = 0.002;  // a row of 0.1 s
constexpr double kWander = 1.5 * detect::Lasting::kLeast;
constexpr double kOldNews = 0.5;
constexpr double kNearSeconds = 2 * detect::Horizon::kShortSeconds, kStartUpSeconds = 5;
constexpr double kShortWeight = 0.2, kLongWeight = 0.05;  // a row

bool is_level(detect::Kind kind) {
  return kind == detect::Kind::fraction || kind == detect::Kind::number;
}

}  // namespace

ReplayScore::ReplayScore(bool timed, double row_seconds)
    : timed_(timed),
      steady_weight_(detect::Decay(kSteadyWeight).weight(row_seconds)),
      old_weight_(detect::Decay(kOldWeight).weight(row_seconds)) {}

double ReplayScore::take(const detect::Detector& detector, double seconds_left, double time) {
  const auto& verdict = detector.verdict();
  if (!timed_) return of_rows_minutes_apart(verdict.distance * verdict.tempered);
  const double near = running_out(seconds_left, time);
  if (verdict.warming) return 0;
  if (!weighed_) weigh_by_reach(detector);
  const double news = take_off_old_news(detector);
  const double steady = detect::square_root(detect::dot(steady_.data(), steady_.data(), verdict.n));
  return detect::square_root(news * steady) * (1 + near);
}

double ReplayScore::of_rows_minutes_apart(double squared) {
  short_ += kShortWeight * (squared - short_);
  long_ += kLongWeight * (squared - long_);
  return detect::square_root(detect::square_root(short_ * long_));
}

void ReplayScore::weigh_by_reach(const detect::Detector& detector) {
  weighed_ = true;
  const detect::Vector reach = detector.reach();
  for (std::size_t j = 0; j < share_.size(); ++j) share_[j] = reach[j] > kWander ? kWander / reach[j] : 1;
}

// T of what is left of u; m takes it in.
double ReplayScore::take_off_old_news(const detect::Detector& detector) {
  const auto& verdict = detector.verdict();
  double sum = 0;
  for (std::size_t j = 0; j < verdict.n; ++j) {
    double u = verdict.u[j];
    const double old = old_[j];
    old_[j] += old_weight_ * (u - old);
    if (is_level(detector.dimensions()[j].kind) && u * old > 0)
      u -= kOldNews * (u > 0 ? std::min(u, old) : std::max(u, old));
    steady_[j] += steady_weight_ * (share_[j] * u - steady_[j]);
    sum += u * u;
  }
  return detect::square_root(sum);
}

double ReplayScore::running_out(double seconds_left, double time) {
  const double near = std::max(0.0, 1 - seconds_left / kNearSeconds);
  if (!(near > 0)) plenty_at_ = time;
  return near * std::clamp((time - plenty_at_) / kStartUpSeconds, 0.0, 1.0);
}

}  // namespace hosa
