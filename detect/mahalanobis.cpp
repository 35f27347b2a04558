#include "detect/mahalanobis.h"

#include "detect/arithmetic.h"
#include "detect/cholesky.h"
#include "detect/shrink.h"

namespace hosa::detect {

bool Mahalanobis::rebuild(const Moments& moments, const Vector& floor_squared, double correlated) {
  begin(moments, floor_squared, correlated);
  const std::size_t before = active_;
  return advance(1) && active_ != before;
}

bool Mahalanobis::rebuild(const Matrix& covariance, double g, const Vector& floor_squared) {
  take(covariance, g, floor_squared);
  const std::size_t before = active_;
  return advance(1) && active_ != before;
}

void Mahalanobis::begin(const Moments& moments, const Vector& floor_squared, double correlated) {
  const double samples = moments.effective_samples() / correlated;
  take(moments.covariance, detect::shrinkage(moments.covariance, floor_squared, n_, samples), floor_squared);
}

void Mahalanobis::take(const Matrix& covariance, double g, const Vector& floor_squared) {
  Matrix& next = factor_[1 - active_];
  const double keep = 1 - g;
  for (std::size_t i = 0; i < n_; ++i) {
    for (std::size_t j = 0; j < i; ++j) next[j][i] = keep * covariance[i][j];
    next[i][i] = covariance[i][i] + floor_squared[i];
    sigma_[1 - active_][i] = square_root(next[i][i]);
  }
  next_g_ = g;
  rows_done_ = 0;
}

bool Mahalanobis::advance(double part) {
  const std::size_t made = 1 - active_;
  const double size = static_cast<double>(n_), wanted = part * size * size * size;
  std::size_t last = rows_done_;
  const auto done = [&](std::size_t rows) {  // of size^3: step i is (n - i)^2 / 2 multiplications
    const double left = size - static_cast<double>(rows);
    return size * size * size - left * left * left;
  };
  while (last < n_ && done(last) < wanted) ++last;
  if (!factorize_rows(factor_[made], n_, rows_done_, last, inverse_[made])) {
    rows_done_ = n_;
    return true;
  }
  rows_done_ = last;
  if (last < n_) return false;
  active_ = made;
  g_ = next_g_;
  ready_ = true;
  return true;
}

Mahalanobis::Distance Mahalanobis::distance(std::span<const double> d, std::span<double> innovation,
                                            std::span<double> tempered, std::span<double> contribution) const {
  Vector y;
  solve_lower(factor_[active_], inverse_[active_], n_, d, y);
  const double squared = dot(y.data(), y.data(), n_);
  for (std::size_t i = 0; i < n_; ++i) {
    innovation[i] = y[i];
    const double u = y[i] * ease_[i], size = u < 0 ? -u : u;
    tempered[i] = u;
    if (size > kCompressFrom) tempered[i] *= kCompressFrom / size * (1 + natural_log(size / kCompressFrom));
  }
  const double tempered_squared = dot(tempered.data(), tempered.data(), n_);
  solve_upper(factor_[active_], inverse_[active_], n_, y);
  for (std::size_t j = 0; j < n_; ++j) contribution[j] = d[j] * y[j];
  return {square_root(squared), square_root(tempered_squared)};
}

double Mahalanobis::load_direction(std::span<const double> d, std::span<const Dimension> dimensions) const {
  double sum = 0;
  for (std::size_t j = 0; j < n_; ++j) sum += dimensions[j].sign * d[j] / sigma_[active_][j];
  return n_ > 0 ? sum / static_cast<double>(n_) : 0;
}

}  // namespace hosa::detect
