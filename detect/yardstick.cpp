#include "detect/yardstick.h"

#include <algorithm>

namespace hosa::detect {

void Yardstick::settle(const Mahalanobis& metric, const Floats& floor_squared) {
  for (std::size_t i = 0; i < metric.size(); ++i) {
    const double least = kLeastFloors * square_root(static_cast<double>(floor_squared[i]));
    finest_[i] = static_cast<float>(std::max(metric.spread(i), least));
  }
}

void Yardstick::renew(const Mahalanobis& metric, double dt) {
  const double a = decay_.weight(dt);
  for (std::size_t i = 0; i < metric.size(); ++i) {
    const double finest = static_cast<double>(finest_[i]);
    finest_[i] = static_cast<float>(finest - a * std::max(0.0, finest - metric.spread(i)));
  }
}

Vector Yardstick::finest() const {
  Vector finest{};
  for (std::size_t i = 0; i < kMaxDimensions; ++i) finest[i] = static_cast<double>(finest_[i]);
  return finest;
}

void Yardstick::set_finest(const Vector& finest, const Mahalanobis& metric) {
  for (std::size_t i = 0; i < metric.size(); ++i)
    finest_[i] = static_cast<float>(finest[i] > 0 ? finest[i] : metric.spread(i));
}

}  // namespace hosa::detect
