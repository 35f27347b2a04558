#include "detect/entropy.h"

#include <cmath>

namespace hosa::detect {

// H = log2 N - (1/N) sum n log2 n: one pass over the amounts, no shares.
Mix mix_entropy(std::span<const uint32_t> now, std::span<const uint32_t> before) {
  Mix mix;
  double weighted = 0;
  for (std::size_t i = 0; i < now.size() && i < before.size(); ++i) {
    const uint32_t amount = now[i] - before[i];
    if (amount == 0) continue;
    mix.total += amount;
    weighted += static_cast<double>(amount) * std::log2(static_cast<double>(amount));
  }
  if (mix.total == 0) return mix;
  const double total = static_cast<double>(mix.total);
  mix.bits = std::log2(total) - weighted / total;
  if (mix.bits < 0) mix.bits = 0;  // rounding
  return mix;
}

}  // namespace hosa::detect
