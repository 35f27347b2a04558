#include "actuate/history.h"

#include <algorithm>

namespace hosa {

void UseHistory::Generation::fill(double now_s, std::span<const UnitUse> from) {
  time_s = now_s;
  count = std::min(from.size(), uses.size());
  std::copy_n(from.begin(), count, uses.begin());
  std::sort(uses.begin(), uses.begin() + static_cast<std::ptrdiff_t>(count),
            [](const UnitUse& a, const UnitUse& b) { return a.unit < b.unit; });
}

const UnitUse* UseHistory::Generation::find(uint64_t unit) const {
  const auto end = uses.begin() + static_cast<std::ptrdiff_t>(count);
  const auto at =
      std::lower_bound(uses.begin(), end, unit, [](const UnitUse& use, uint64_t key) { return use.unit < key; });
  return at != end && at->unit == unit ? &*at : nullptr;
}

void UseHistory::remember(double now_s, std::span<const UnitUse> uses) {
  if (ring_[newest_].time_s >= 0 && now_s - ring_[newest_].time_s < kSpacingS) return;
  if (ring_[newest_].time_s >= 0) newest_ = (newest_ + 1) % kGenerations;
  ring_[newest_].fill(now_s, uses);
}

const UseHistory::Generation* UseHistory::at(double time_s) const {
  const Generation* oldest = nullptr;
  for (std::size_t back = 0; back < kGenerations; ++back) {
    const Generation& generation = ring_[(newest_ + kGenerations - back) % kGenerations];
    if (generation.time_s < 0) break;
    oldest = &generation;
    if (generation.time_s <= time_s) break;
  }
  return oldest;
}

}  // namespace hosa
