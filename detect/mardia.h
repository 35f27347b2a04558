// Mardia's multivariate kurtosis: how far from Gaussian a machine's state is (Mardia, Biometrika 57(3), 1970).
//
//   kappa = mean of D^4 under the population's own mean and covariance; expected n (n + 2) for a Gaussian
//   z = (kappa - n (n + 2)) / sqrt(8 n (n + 2) / N)
// Beside the exact figure over stored rows (reports) there is a running one, fed with each sample's D. It says whether
// chi-square quantiles may be believed; on kernel metrics they may not (6-12 times the expected kurtosis).
#pragma once
#include "detect/moments.h"

namespace hosa::detect {

struct Kurtosis {
  double kappa = 0;
  double expected = 0;  // n (n + 2)
  double z = 0;         // standard deviations from it
};

// Of `count` rows of n values each, n <= kMaxDimensions. False if their covariance does not invert.
bool mardia_kurtosis(std::span<const double> rows, std::size_t n, Kurtosis& out);

class RunningKurtosis {
 public:
  // One sample's plain distance, of n dimensions, with a forgetting weight in 0..1.
  void add(double distance, double weight);
  Kurtosis value(std::size_t n) const;

 private:
  double mean_ = 0;           // of D^4
  double concentration_ = 1;  // sum of squared weights
  bool started_ = false;
};

}  // namespace hosa::detect
