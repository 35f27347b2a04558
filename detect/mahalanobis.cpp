#include "detect/mahalanobis.h"

#include "detect/arithmetic.h"
#include "detect/cholesky.h"
#include "detect/shrink.h"

namespace hosa::detect {

bool Mahalanobis::rebuild(const Moments& moments, const Vector& floor_squared, double correlated) {
  Matrix lifted = moments.covariance;
  for (std::size_t i = 0; i < n_; ++i) lifted[i][i] += floor_squared[i];
  const double samples = moments.effective_samples() / correlated;
  return rebuild(moments.covariance, detect::shrinkage(lifted, n_, samples), floor_squared);
}

bool Mahalanobis::rebuild(const Matrix& covariance, double g, const Vector& floor_squared) {
  Matrix a;
  for (std::size_t i = 0; i < n_; ++i) {
    for (std::size_t j = 0; j < i; ++j) a[i][j] = (1 - g) * covariance[i][j];
    a[i][i] = covariance[i][i] + floor_squared[i];
  }
  Matrix factor;
  if (!factorize(a, n_, factor)) return false;
  for (std::size_t i = 0; i < n_; ++i) {
    for (std::size_t j = 0; j <= i; ++j) factor_[i][j] = factor[i][j];
    sigma_[i] = square_root(a[i][i]);
  }
  g_ = g;
  ready_ = true;
  return true;
}

Mahalanobis::Distance Mahalanobis::distance(std::span<const double> d, std::span<double> innovation,
                                            std::span<double> contribution) const {
  Vector y;
  solve_lower(factor_, n_, d, y);
  const double squared = dot(y.data(), y.data(), n_);
  double tempered = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    innovation[i] = y[i];
    double u = (y[i] < 0 ? -y[i] : y[i]) / tail_[i];
    if (u > kCompressFrom) u = kCompressFrom * (1 + natural_log(u / kCompressFrom));
    tempered += u * u;
  }
  solve_upper(factor_, n_, y);
  for (std::size_t j = 0; j < n_; ++j) contribution[j] = d[j] * y[j];
  return {square_root(squared), square_root(tempered)};
}

double Mahalanobis::load_direction(std::span<const double> d, std::span<const Dimension> dimensions) const {
  double sum = 0;
  for (std::size_t j = 0; j < n_; ++j) sum += dimensions[j].sign * d[j] / sigma_[j];
  return n_ > 0 ? sum / static_cast<double>(n_) : 0;
}

}  // namespace hosa::detect
