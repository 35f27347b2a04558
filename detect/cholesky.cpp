#include "detect/cholesky.h"

#include <algorithm>

#include "detect/arithmetic.h"

namespace hosa::detect {

bool factorize_rows(Matrix& a, std::size_t n, std::size_t first, std::size_t last, Vector& inverse) {
  for (std::size_t i = first; i < last; ++i) {
    double* const row = a[i].data();
    if (!(row[i] > 0) || !is_finite(row[i])) return false;
    row[i] = square_root(row[i]);
    inverse[i] = 1 / row[i];
    for (std::size_t k = i + 1; k < n; ++k) row[k] *= inverse[i];
    for (std::size_t j = i + 1; j < n; ++j) add_scaled(a[j].data() + j, -row[j], row + j, n - j);
  }
  return true;
}

// In both solves pairs begin at even indices, and what was just written is read as single values: a pair read across
// two earlier writes has to wait for the cache (n = 24: 0.37 us for a distance so, 0.2 us).
void solve_lower(const Matrix& upper, const Vector& inverse, std::size_t n, std::span<const double> d, Vector& y) {
  for (std::size_t i = 0; i < n; ++i) y[i] = d[i];
  for (std::size_t i = 0; i < n; ++i) {
    y[i] *= inverse[i];
    std::size_t k = i + 1;
    if (k % 2 == 1 && k < n) {
      y[k] -= upper[i][k] * y[i];
      ++k;
    }
    if (k < n) add_scaled(y.data() + k, -y[i], upper[i].data() + k, n - k);
  }
}

void solve_upper(const Matrix& upper, const Vector& inverse, std::size_t n, Vector& y) {
  for (std::size_t i = n; i-- > 0;) {
    const double* const row = upper[i].data();
    const std::size_t recent = std::min(n, (i + 6) & ~std::size_t{1});
    double sum = recent < n ? dot(row + recent, y.data() + recent, n - recent) : 0;
    for (std::size_t k = recent; k-- > i + 1;) sum += row[k] * y[k];  // the newest last: only it has to be waited for
    y[i] = (y[i] - sum) * inverse[i];
  }
}

}  // namespace hosa::detect
