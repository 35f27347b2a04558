// Running mean and covariance of a vector, in one update per sample and no samples stored.
//
//   d = x - mean ;  mean += a d ;  S = (1-a)(S + a d d')
// With a = 1/t this is Welford's algorithm (S is the population covariance, exactly); with a constant a it forgets
// exponentially. learn() chooses a = w max(alpha, dt/t): Welford while young, then a memory of 10 minutes, both by
// elapsed time, times the weight w with which the caller trusts the sample (0 = do not learn).
#pragma once
#include <array>
#include <cstddef>
#include <span>

#include "detect/dimension.h"
#include "detect/triangle.h"

namespace hosa::detect {

using Vector = std::array<double, kMaxDimensions>;
using Floats = std::array<float, kMaxDimensions>;

class Moments {
 public:
  explicit Moments(std::size_t n) : n_(n) {}

  // Blends one sample in with weight a in 0..1. seconds: how much time it stands for.
  void blend(std::span<const double> x, double a, double seconds) { blend(x, a, a, seconds); }
  // As above with a = trust * max(forgetting, seconds / time learned so far); the mean moves at least as if trust were
  // `mean_trust`.
  void learn(std::span<const double> x, double trust, double forgetting, double seconds, double mean_trust = 0);
  // Scales dimension j's deviations by factor_j: covariance[i][j] *= factor_i factor_j.
  void damp(std::span<const double> factor);
  // The same data measured in other units: x' = (x - shift_j) / factor_j.
  template <class Real>
  void rescale(const std::array<Real, kMaxDimensions>& shift, const std::array<Real, kMaxDimensions>& factor);

  std::size_t size() const { return n_; }
  double learned_seconds() const { return learned_seconds_; }
  // How many independent samples the weights amount to, 1 / sum of squared weights (Kish): t while young, 2/alpha - 1
  // later. Samples closer than 0.1 s do not count as independent.
  double effective_samples() const { return concentration_ > 0 ? 1 / concentration_ : 0; }

  Vector mean{};
  Triangle<double> covariance{};

  // For a baseline read back from a file (checked by the caller).
  void resume(double learned_seconds, double effective_samples);

 private:
  void blend(std::span<const double> x, double a, double mean_a, double seconds);

  std::size_t n_;
  double learned_seconds_ = 0;
  double concentration_ = 0;  // sum of squared weights
};

// rho: how differently the dimensions move together, |R - B|_F / |B|_F over whole symmetric matrices of which the lower
// triangle is given (vectors/indices.csv). 0 for B = 0.
template <class Real>
double deformation(const Triangle<Real>& recent, const Triangle<double>& base, std::size_t n);

// The last seconds alone, anomalous or not: what rho sets beside the moments. In floats: rho is an indicator.
class Lately {
 public:
  explicit Lately(std::size_t n) : n_(n) {}
  void begin(const Moments& moments);
  void blend(std::span<const double> x, double a);
  // Moves the mean of dimension i.
  void shift(std::size_t i, double by);
  double deformation(const Moments& base) const { return detect::deformation(covariance_, base.covariance, n_); }

 private:
  std::size_t n_;
  Floats mean_{};
  Triangle<float> covariance_;
};

// w of the Huber gate: full trust up to `tolerance`, then falling with the square of the distance, so that no sample
// adds more than a * tolerance^2 to the variance along its own direction.  w = min(1, (tolerance / D)^2)
double trust_at(double distance, double tolerance);

}  // namespace hosa::detect
