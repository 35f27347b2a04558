#include "detect/cholesky.h"

#include "detect/arithmetic.h"

namespace hosa::detect {

bool factorize(const Matrix& a, std::size_t n, Matrix& factor) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j)
      factor[i][j] = (a[i][j] - dot(factor[i].data(), factor[j].data(), j)) / factor[j][j];
    const double pivot = a[i][i] - dot(factor[i].data(), factor[i].data(), i);
    if (!(pivot > 0) || !is_finite(pivot)) return false;
    factor[i][i] = square_root(pivot);
  }
  return true;
}

void solve_lower(const Matrix& factor, std::size_t n, std::span<const double> d, Vector& y) {
  for (std::size_t i = 0; i < n; ++i) y[i] = (d[i] - dot(factor[i].data(), y.data(), i)) / factor[i][i];
}

void solve_upper(const Matrix& factor, std::size_t n, Vector& y) {
  for (std::size_t i = n; i-- > 0;) {
    y[i] /= factor[i][i];
    for (std::size_t k = 0; k < i; ++k) y[k] -= factor[i][k] * y[i];
  }
}

}  // namespace hosa::detect
