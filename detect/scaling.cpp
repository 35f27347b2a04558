#include "detect/scaling.h"

#include <algorithm>

#include "detect/arithmetic.h"

namespace hosa::detect {

void Spreads::add(std::span<const double> y) {
  count_ += 1;
  for (std::size_t j = 0; j < y.size(); ++j) {
    const double d = y[j] - mean_[j];
    mean_[j] += d / count_;
    squares_[j] += d * (y[j] - mean_[j]);
  }
}

double Spreads::deviation(std::size_t j) const {
  return count_ > 1 ? square_root(squares_[j] / (count_ - 1)) : 0;
}

void Scaling::add(std::span<const double> y) {
  count_ += 1;
  const float count = static_cast<float>(count_);
  for (std::size_t j = 0; j < y.size(); ++j) {
    if (count_ == 1) origin_[j] = static_cast<float>(y[j]);
    const double x = y[j] - static_cast<double>(origin_[j]);
    quartiles_[j].add(x);
    const float d = static_cast<float>(x) - mean_[j];
    mean_[j] += d / count;
    squares_[j] += d * (static_cast<float>(x) - mean_[j]);
  }
}

Scale Scaling::fit(std::span<const Dimension> dimensions) const {
  Scale scale;
  for (std::size_t j = 0; j < dimensions.size(); ++j) {
    const double mad = (quartiles_[j].upper() - quartiles_[j].lower()) / 2;
    const double sd = count_ > 1 ? square_root(static_cast<double>(squares_[j]) / (count_ - 1)) : 0;
    scale.median[j] = static_cast<float>(static_cast<double>(origin_[j]) + quartiles_[j].value());
    scale.spread[j] = static_cast<float>(std::max({1.4826 * mad, 0.7 * sd, dimensions[j].floor, 1e-9}));
  }
  return scale;
}

double Spreads::load(std::span<const Dimension> dimensions, std::span<const double> y) const {
  constexpr double kMost = 5;  // one dimension's burst is no load
  double sum = 0;
  for (std::size_t j = 0; j < dimensions.size(); ++j) {
    const double apart = (y[j] - mean_[j]) / std::max(deviation(j), dimensions[j].floor);
    sum += dimensions[j].sign * std::clamp(apart, -kMost, kMost);
  }
  return dimensions.empty() ? 0 : sum / static_cast<double>(dimensions.size());
}

void standardize(const Scale& scale, std::span<const double> y, std::span<double> z) {
  for (std::size_t j = 0; j < y.size(); ++j)
    z[j] = std::clamp((y[j] - static_cast<double>(scale.median[j])) / static_cast<double>(scale.spread[j]),
                      -Scaling::kClip, Scaling::kClip);
}

}  // namespace hosa::detect
