// The robust scale of every dimension, found during warm-up without storing a window.
//
//   z_j = clip((y_j - median_j) / s_j, +-300),   s_j = max(1.4826 MAD_j, 0.7 sd_j, f_j)
// MAD is taken as half the distance of the quartiles, which one P2 estimator per dimension yields together with the
// median (the MAD proper needs the median first, hence a second pass). Equal for a symmetric distribution.
// A dimension that stood still in warm-up keeps its floor f_j: its first change is a good alarm.
#pragma once
#include "detect/moments.h"
#include "detect/quantile.h"

namespace hosa::detect {

// Floats: where zero lies and what one is, moments of z know; it only has to stay the same.
struct Scale {
  Floats median{};
  Floats spread{};  // s_j > 0
};

// Mean and standard deviation of each dimension apart.
class Spreads {
 public:
  void add(std::span<const double> y);
  double count() const { return count_; }
  double deviation(std::size_t j) const;  // sd_j; 0 of fewer than two
  // Mean over the dimensions of their signed deviation from what was added so far, in standard deviations.
  double load(std::span<const Dimension> dimensions, std::span<const double> y) const;

 private:
  Vector mean_{};
  Vector squares_{};  // Welford's sum of squared deviations
  double count_ = 0;
};

class Scaling {
 public:
  static constexpr double kClip = 300;

  void add(std::span<const double> y);
  double count() const { return count_; }
  Scale fit(std::span<const Dimension> dimensions) const;

 private:
  // In floats, from the first sample as origin: memory in bytes would leave no digits for its variation.
  Floats origin_{};
  std::array<QuantileOf<float>, kMaxDimensions> quartiles_{};
  Floats mean_{};
  Floats squares_{};  // Welford's sum of squared deviations
  double count_ = 0;
};

// z of y under a scale.
void standardize(const Scale& scale, std::span<const double> y, std::span<double> z);

}  // namespace hosa::detect
