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

void standardize(const Scale& scale, std::span<const double> y, std::span<double> z) {
  for (std::size_t j = 0; j < y.size(); ++j)
    z[j] = std::clamp((y[j] - scale.median[j]) / scale.spread[j], -Scaling::kClip, Scaling::kClip);
}

}  // namespace hosa::detect
