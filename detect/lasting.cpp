#include "detect/lasting.h"

#include <algorithm>

namespace hosa::detect {
namespace {

// What there is of something, not what happens: a share of which less is worse is what is left of it.
bool is_stock(const Dimension& dimension) {
  return dimension.kind == Kind::fraction || dimension.kind == Kind::number ||
         (dimension.kind == Kind::share && dimension.sign < 0);
}

}  // namespace

Lasting::Lasting(std::span<const Dimension> dimensions) : n_(dimensions.size()) {
  for (std::size_t i = 0; i < n_; ++i) {
    caught_ |= static_cast<uint64_t>(dimensions[i].kind == Kind::count) << i;
    stocks_ |= static_cast<uint64_t>(is_stock(dimensions[i])) << i;
  }
}

void Lasting::add(std::span<const double> tempered, double dt) {
  const float a = static_cast<float>(decay_.weight(dt)), b = static_cast<float>(long_decay_.weight(dt));
  float most = 0, standing = 0;  // of squares: what is on the way to them needs no branch
  for (std::size_t i = 0; i < n_; ++i) {
    const float step = (caught_ >> i & 1) != 0 ? kMostOfOne : kAny;
    const float v = static_cast<float>(tempered[i]);
    mean_[i] += std::clamp(a * (v - mean_[i]), -step, step);
    long_mean_[i] += b * (v - long_mean_[i]);
    most = std::max(most, square(i));
    standing = std::max(standing, long_square(i));
  }
  most_ = most;
  standing_ = standing;
}

double Lasting::most() const {
  return square_root(static_cast<double>(most_));
}

double Lasting::standing() const {
  return square_root(static_cast<double>(standing_));
}

std::size_t Lasting::which() const {
  std::size_t which = 0;
  float largest = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    const float size = std::max(square(i), long_square(i));
    if (size > largest) which = i;
    largest = std::max(largest, size);
  }
  return which;
}

void Lasting::learn(Reaches& reaches) const {
  for (std::size_t i = 0; i < n_; ++i) {
    const float size = mean_[i] < 0 ? -mean_[i] : mean_[i];
    reaches.usual[i].add(static_cast<double>(size));
    reaches.farthest[i] = std::max(reaches.farthest[i], size);
  }
}

void Lasting::settle(const Reaches& reaches) {
  Vector reach{};
  for (std::size_t i = 0; i < n_; ++i)
    reach[i] = std::max(reaches.usual[i].value(), kOfFarthest * static_cast<double>(reaches.farthest[i]));
  set_reach(reach);
}

Vector Lasting::reach() const {
  Vector reach{};
  for (std::size_t i = 0; i < n_; ++i) {
    const double ease = static_cast<double>(ease_[i] < 0 ? -ease_[i] : ease_[i]);
    reach[i] = ease > 0 ? 1 / ease : 0;
  }
  return reach;
}

void Lasting::set_reach(const Vector& reach) {
  mean_ = long_mean_ = {};
  for (std::size_t i = 0; i < n_; ++i) {
    const double ease = reach[i] > 0 ? 1 / std::max(reach[i], kLeast) : 0;
    ease_[i] = static_cast<float>((stocks_ >> i & 1) != 0 ? -ease : ease);
  }
}

}  // namespace hosa::detect
