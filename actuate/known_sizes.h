// KnownSizes: what each unit has settled at before, so that its next start-up is told from a leak (spec 5).
//
// A unit is its cgroup's path and the executable of its largest process. The path's numbers do not count, so that
// session-3.scope and session-4.scope are one. A size follows a higher one at once and forgets slowly: the usual peak,
// not the last one. Fixed memory; who was not seen for longest makes room. Stored with the baseline; pure.
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "loader/sys/fixed.h"

namespace hosa {

struct KnownSize {
  uint64_t key = 0;
  double bytes = 0;     // that cannot be dropped
  uint64_t seen_s = 0;  // wall clock; decides only who makes room
};

inline constexpr std::size_t kKnownSizes = 256;  // a systemd server has 60-120 cgroups; 24 bytes each

class KnownSizes {
 public:
  // A start-up below this is over before anybody is named (Suspicion: 4 MB after 0.2 s).
  static constexpr double kLeastBytes = 8.0 * 1024 * 1024;
  // One look in 5 s goes to one unit: of 30 units each has 600 looks a day, so half a size is forgotten in a day.
  static constexpr double kForgetting = 1.0 / 900;

  static uint64_t key_of(std::string_view path, std::string_view executable);
  // It has stood at about so many bytes for a while.
  void settled(uint64_t key, double bytes, uint64_t now_s);
  double bytes_of(uint64_t key) const;  // 0: not known
  std::span<const KnownSize> all() const { return {sizes_.data(), sizes_.size()}; }
  void restore(std::span<const KnownSize> sizes);

 private:
  FixedVector<KnownSize, kKnownSizes> sizes_;
};

}  // namespace hosa
