#include "detect/baseline_merge.h"

#include <algorithm>

namespace hosa::detect {

void merge_baselines(const Baseline& stored, const Baseline& fresh, const Places& place, std::size_t n, bool together,
                     Baseline& merged) {
  merged = Baseline{};
  merged.n = n;
  merged.learned_seconds = stored.learned_seconds;
  merged.effective_samples = stored.effective_samples;
  Vector stretch{};  // a deviation in z of the merged scale = stretch * the same in z of the fresh one
  bool same = n == stored.n;
  for (std::size_t j = 0; j < n; ++j) {
    same = same && place[j] == static_cast<int>(j);
    const bool known = place[j] >= 0;
    const Scale& scale = known ? stored.scale : fresh.scale;
    const std::size_t at = known ? static_cast<std::size_t>(place[j]) : j;
    merged.scale.median[j] = scale.median[at];
    merged.scale.spread[j] = scale.spread[at];
    merged.tail[j] = known ? stored.tail[at] : fresh.tail[at];
    merged.reach[j] = known ? stored.reach[at] : fresh.reach[at];
    merged.mean[j] = known ? stored.mean[at] : fresh.mean[at];
    if (!known) merged.effective_samples = std::min(merged.effective_samples, fresh.effective_samples);
    stretch[j] = known ? static_cast<double>(fresh.scale.spread[j]) / static_cast<double>(scale.spread[at]) : 1;
  }
  if (same) merged.evidence = stored.evidence;
  if (same) merged.finest = stored.finest;  // in another order other dimensions explain each
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      if (place[i] >= 0 && place[j] >= 0) {
        const auto row = static_cast<std::size_t>(std::max(place[i], place[j]));
        const auto column = static_cast<std::size_t>(std::min(place[i], place[j]));
        merged.covariance[i][j] = stored.covariance[row][column];
      } else if (together || (place[i] < 0 && place[j] < 0)) {
        merged.covariance[i][j] = fresh.covariance[i][j] * stretch[i] * stretch[j];
      }
    }
  }
}

}  // namespace hosa::detect
