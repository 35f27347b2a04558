#include "detect/lasting.h"

#include <algorithm>

namespace hosa::detect {

void Lasting::add(std::span<const double> tempered, double dt, bool learn) {
  const double a = decay_.weight(dt);
  most_ = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    mean_[i] += a * (tempered[i] - mean_[i]);
    const double size = mean_[i] < 0 ? -mean_[i] : mean_[i];
    if (learn) far_[i].add(size);
    if (size * ease_[i] <= most_) continue;
    most_ = size * ease_[i];
    which_ = i;
  }
}

Vector Lasting::reach() const {
  Vector reach{};
  for (std::size_t i = 0; i < n_; ++i) reach[i] = settled_ ? (ease_[i] > 0 ? 1 / ease_[i] : 0) : far_[i].value();
  return reach;
}

void Lasting::set_reach(const Vector& reach) {
  settled_ = true;
  mean_ = {};
  for (std::size_t i = 0; i < n_; ++i) ease_[i] = reach[i] > 0 ? 1 / std::max(reach[i], kLeast) : 0;
}

}  // namespace hosa::detect
