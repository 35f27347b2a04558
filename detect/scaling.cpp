#include "detect/scaling.h"

#include <algorithm>

#include "detect/arithmetic.h"

namespace hosa::detect {

void Scaling::add(std::span<const double> y) {
  count_ += 1;
  for (std::size_t j = 0; j < y.size(); ++j) {
    quartiles_[j].add(y[j]);
    const double d = y[j] - mean_[j];
    mean_[j] += d / count_;
    squares_[j] += d * (y[j] - mean_[j]);
  }
}

Scale Scaling::fit(std::span<const Dimension> dimensions) const {
  Scale scale;
  for (std::size_t j = 0; j < dimensions.size(); ++j) {
    const double mad = (quartiles_[j].upper() - quartiles_[j].lower()) / 2;
    const double sd = count_ > 1 ? square_root(squares_[j] / (count_ - 1)) : 0;
    scale.median[j] = quartiles_[j].value();
    scale.spread[j] = std::max({1.4826 * mad, 0.7 * sd, dimensions[j].floor, 1e-9});
  }
  return scale;
}

double Scaling::load(std::span<const Dimension> dimensions, std::span<const double> y) const {
  constexpr double kMost = 5;  // one dimension's burst is no load
  double sum = 0;
  for (std::size_t j = 0; j < dimensions.size(); ++j) {
    const double sd = count_ > 1 ? square_root(squares_[j] / (count_ - 1)) : 0;
    const double deviation = (y[j] - mean_[j]) / std::max(sd, dimensions[j].floor);
    sum += dimensions[j].sign * std::clamp(deviation, -kMost, kMost);
  }
  return dimensions.empty() ? 0 : sum / static_cast<double>(dimensions.size());
}

void standardize(const Scale& scale, std::span<const double> y, std::span<double> z) {
  for (std::size_t j = 0; j < y.size(); ++j)
    z[j] = std::clamp((y[j] - scale.median[j]) / scale.spread[j], -Scaling::kClip, Scaling::kClip);
}

}  // namespace hosa::detect
