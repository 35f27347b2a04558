#include "detect/culprit.h"

#include "detect/arithmetic.h"

namespace hosa::detect {

Attribution attribute(std::span<const Growth> growth) {
  Attribution result;
  double first = 0, second = 0;
  for (std::size_t i = 0; i < growth.size(); ++i) {
    const double amount = growth[i].amount;
    if (!is_finite(amount) || amount <= 0) continue;
    result.total += amount;
    if (amount > first) {
      second = first;
      result.runner_up = result.culprit;
      first = amount;
      result.culprit = i;
    } else if (amount > second) {
      second = amount;
      result.runner_up = i;
    }
  }
  if (result.culprit == Attribution::kNobody) return result;
  result.share = first / result.total;
  result.runner_up_share = second / result.total;
  result.explains_half = result.share > 0.5;
  return result;
}

}  // namespace hosa::detect
