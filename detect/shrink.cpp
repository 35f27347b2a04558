#include "detect/shrink.h"

namespace hosa::detect {

double shrinkage(const Matrix& s, std::size_t n, double effective_samples) {
  double off_diagonal = 0;  // tr(C^2) - n
  for (std::size_t i = 1; i < n; ++i) {
    double row = 0;
    for (std::size_t j = 0; j < i; ++j) row += s[i][j] * s[i][j] / s[j][j];
    off_diagonal += 2 * row / s[i][i];
  }
  const double size = static_cast<double>(n);
  const double part = 1 - 2 / size;
  const double above = part * (off_diagonal + size) + size * size;
  const double below = (effective_samples + part) * off_diagonal;
  return above < below ? above / below : 1;
}

}  // namespace hosa::detect
