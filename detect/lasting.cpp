#include "detect/lasting.h"

#include <algorithm>

namespace hosa::detect {

void Lasting::add(std::span<const double> tempered, double dt, bool learn) {
  const double a = decay_.weight(dt);
  blend_scaled(mean_.data(), 1 - a, a / (1 - a), tempered.data(), n_);
  double most = 0;  // of squares: what is on the way to it needs no branch
  for (std::size_t i = 0; i < n_; ++i) {
    const double part = mean_[i] * ease_[i], square = part * part;
    which_ = square > most ? i : which_;
    most = square > most ? square : most;
  }
  most_ = square_root(most);
  for (std::size_t i = 0; learn && i < n_; ++i) far_[i].add(mean_[i] < 0 ? -mean_[i] : mean_[i]);
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
