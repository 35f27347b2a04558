#include "detect/thresholds.h"

#include <algorithm>

#include "detect/arithmetic.h"

namespace hosa::detect {

Thresholds::Thresholds(const Bounds& bounds) : bounds_(bounds) {
  choose();
}

Thresholds::Thresholds(std::size_t n) : Thresholds(Bounds{2.2, 1.6, 5.5}) {
  const double root_n = square_root(static_cast<double>(n));
  bounds_ = {2.2 * root_n, 1.6 * root_n, 5.5 * root_n};
  choose();
}

void Thresholds::choose() {
  double h = bounds_.first;
  if (tail_.level() > 0) h = std::clamp(tail_.level(), bounds_.least, bounds_.most);
  if (fixed_ > 0) h = fixed_;
  for (std::size_t i = 0; i < kLevels; ++i) values_[i] = kRatios[i] * h;
}

int Thresholds::step(double smoothed, double now, double dt, bool undisturbed) {
  choose();
  int reached = 0, carried = 0;
  for (int i = 0; i < kLevels; ++i) {
    if (smoothed > values_[static_cast<std::size_t>(i)]) reached = i + 1;
    if (smoothed > kStay * values_[static_cast<std::size_t>(i)]) carried = i + 1;
  }
  if (reached >= level_ || carried >= level_) {
    level_ = std::max(level_, reached);
    leaving_ = false;
  } else if (!leaving_) {
    leaving_ = true;
    leaving_since_ = now;
    leaving_to_ = carried;
  } else {
    leaving_to_ = std::max(leaving_to_, carried);
    if (now - leaving_since_ >= kLeaveSeconds) {
      level_ = leaving_to_;
      leaving_ = false;
    }
  }
  tail_.add(smoothed, now, dt, level_ > 0, undisturbed);
  return level_;
}

}  // namespace hosa::detect
