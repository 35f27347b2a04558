#include "detect/shrink.h"

#include "detect/arithmetic.h"

namespace hosa::detect {

double shrinkage(const Triangle<double>& s, const Vector& added, std::size_t n, double effective_samples) {
  double off_diagonal = 0;  // tr(C^2) - n
  Vector inverse, scaled;
  for (std::size_t i = 0; i < n; ++i) {
    inverse[i] = 1 / (s[i][i] + added[i]);
    for (std::size_t j = 0; j < i; ++j) scaled[j] = s[i][j] * inverse[j];
    off_diagonal += 2 * dot(s[i], scaled.data(), i) * inverse[i];
  }
  const double size = static_cast<double>(n);
  const double part = 1 - 2 / size;
  const double above = part * (off_diagonal + size) + size * size;
  const double below = (effective_samples + part) * off_diagonal;
  return above < below ? above / below : 1;
}

}  // namespace hosa::detect
