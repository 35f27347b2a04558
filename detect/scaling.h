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

struct Scale {
  Vector median{};
  Vector spread{};  // s_j > 0
};

class Scaling {
 public:
  static constexpr double kClip = 300;

  void add(std::span<const double> y);
  double count() const { return count_; }
  // Mean over the dimensions of their signed deviation from what was added so far, in standard deviations.
  double load(std::span<const Dimension> dimensions, std::span<const double> y) const;
  Scale fit(std::span<const Dimension> dimensions) const;

 private:
  std::array<Quantile, kMaxDimensions> quartiles_{};
  Vector mean_{};
  Vector squares_{};  // Welford's sum of squared deviations
  double count_ = 0;
};

// z of y under a scale.
void standardize(const Scale& scale, std::span<const double> y, std::span<double> z);

}  // namespace hosa::detect
