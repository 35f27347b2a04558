#include "tools/hosa/unowned.h"

#include <algorithm>

namespace hosa {

void UnownedGrowth::take_back(double bytes) {
  double all = 0;
  for (const UnitBytes& given : given_) all += given.bytes;
  const double keeps = all > bytes ? 1 - bytes / all : 0;
  for (UnitBytes& given : given_) given.bytes *= keeps;
}

void UnownedGrowth::give(uint64_t unit, double bytes) {
  for (UnitBytes& given : given_) {
    if (given.unit == unit) {
      given.bytes += bytes;
      return;
    }
  }
  if (given_.push_back({unit, bytes})) return;
  // Full: the place of the one with the least.
  const auto least = std::min_element(given_.begin(), given_.end(),
                                      [](const UnitBytes& a, const UnitBytes& b) { return a.bytes < b.bytes; });
  if (least->bytes < bytes) *least = {unit, bytes};
}

void UnownedGrowth::step(double bytes, std::span<const UnitBytes> takers) {
  const double grown = before_ >= 0 ? bytes - before_ : 0;
  before_ = bytes;
  if (grown < 0) {
    const double from_late = std::min(late_, -grown);
    late_ -= from_late;
    return take_back(-grown - from_late);
  }
  const double open = grown + late_;
  double claims = 0;
  for (const UnitBytes& taker : takers) claims += std::min(taker.bytes, open);
  const double part = claims > open ? open / claims : 1;
  for (const UnitBytes& taker : takers) {
    if (taker.bytes > 0 && open > 0) give(taker.unit, std::min(taker.bytes, open) * part);
  }
  late_ = std::clamp(open - claims, 0.0, grown);
}

}  // namespace hosa
