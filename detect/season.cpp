#include "detect/season.h"

#include <algorithm>

#include "detect/arithmetic.h"

namespace hosa::detect {
namespace {

// Where in its period a moment lies, 0..1.
double phase(double calendar_s, double period_s) {
  const double periods = calendar_s / period_s;
  return periods - static_cast<double>(static_cast<int64_t>(periods));
}

std::size_t window_at(double part, std::size_t windows) {
  return std::min(static_cast<std::size_t>(part * static_cast<double>(windows)), windows - 1);
}

}  // namespace

void Season::look_for(std::span<const double> periods_s) {
  *this = Season(n_, windows_);
  for (const double period : periods_s)
    if (candidates_ < kPeriods && period > 0) candidate_[candidates_++].period_s = period;
}

void Season::forget() {
  std::array<double, kPeriods> periods_s{};
  for (std::size_t c = 0; c < candidates_; ++c) periods_s[c] = candidate_[c].period_s;
  look_for(periods_s);
}

void Season::add(std::span<const double> y, double load, double calendar_s, double seconds) {
  constexpr double kLatest = 1e15;  // seconds; a period is more than a microsecond, so that the count fits
  if (!(calendar_s >= 0 && calendar_s < kLatest)) return;
  for (std::size_t c = 0; c < candidates_ && seconds > 0; ++c) fill(candidate_[c], load, calendar_s, seconds);
  for (std::size_t c = 0; c < candidates_ && chosen_ == kPeriods; ++c)
    if (periodic(candidate_[c])) chosen_ = c;
  if (chosen_ == kPeriods) return;
  if (candidate_[chosen_].whole.value() < kGiveUp) {
    return forget();
  }
  const double middle = phase(calendar_s, candidate_[chosen_].period_s) * count() + count() - 0.5;
  const auto whole = static_cast<std::size_t>(middle);
  after_ = middle - static_cast<double>(whole);
  before_ = 1 - after_;
  window_ = whole % windows_;
  next_ = (whole + 1) % windows_;
  if (seconds > 0) learn(y, seconds);
}

void Season::fill(Candidate& candidate, double load, double calendar_s, double seconds) {
  const std::size_t window = window_at(phase(calendar_s, candidate.period_s), windows_);
  if (window != candidate.window) {
    if (candidate.window < windows_) close(candidate);
    candidate.window = window;
    candidate.sum = candidate.seconds = 0;
  }
  candidate.sum += seconds * load;
  candidate.seconds += seconds;
}

void Season::close(Candidate& candidate) {
  const std::size_t window = candidate.window, opposite = (window + windows_ / 2) % windows_;
  const double mean = candidate.sum / candidate.seconds;
  if (candidate.seen[window] && candidate.seen[opposite]) {
    ++candidate.pairs;
    const double weight = std::max(1.0 / static_cast<double>(candidate.pairs), 1.0 / (4 * count()));
    candidate.whole.add(mean, candidate.load[window], weight);
    candidate.half.add(mean, candidate.load[opposite], weight);
  }
  candidate.load[window] = mean;
  candidate.seen[window] = true;
  if (chosen_ < candidates_ && &candidate == &candidate_[chosen_] && ++windows_learned_ > kLearned * windows_)
    known_ = std::all_of(learned_s_.begin(), learned_s_.begin() + static_cast<std::ptrdiff_t>(windows_),
                         [](double learned) { return learned > 0; });
}

bool Season::periodic(const Candidate& candidate) const {
  const double whole = candidate.whole.value();
  return candidate.pairs >= kPairs * windows_ && whole >= kAccept && whole - candidate.half.value() >= kApart;
}

void Season::learn(std::span<const double> y, double seconds) {
  const std::size_t window = candidate_[chosen_].window;
  const double most = kRemembered * candidate_[chosen_].period_s / count();
  learned_s_[window] = std::min(learned_s_[window] + seconds, most);
  const double a = seconds / learned_s_[window];
  for (std::size_t j = 0; j < n_; ++j) {
    const float before = profile_[window][j];
    profile_[window][j] = static_cast<float>(before + a * (y[j] - static_cast<double>(before)));
    centre_[j] += (static_cast<double>(profile_[window][j]) - static_cast<double>(before)) / count();
  }
}

double Season::expected_load() const {
  if (!known_) return 0;
  double mean = 0;
  for (std::size_t w = 0; w < windows_; ++w) mean += candidate_[chosen_].load[w] / count();
  return before_ * candidate_[chosen_].load[window_] + after_ * candidate_[chosen_].load[next_] - mean;
}

double Season::load_spread() const {
  if (!known_) return 0;
  double mean = 0, square = 0;
  for (std::size_t w = 0; w < windows_; ++w) mean += candidate_[chosen_].load[w] / count();
  for (std::size_t w = 0; w < windows_; ++w) {
    const double apart = candidate_[chosen_].load[w] - mean;
    square += apart * apart / count();
  }
  return square_root(square);
}

}  // namespace hosa::detect
