// A tripwire's limit from this machine's own calm: the amount that its windows exceed at most once in so many seconds.
//
// The probes count how much each window held in a histogram of half octaves (probes/events.h). The limit is the lower
// edge of the first bucket above which fewer windows lie than `seconds / between_s`: a quantile far out in the tail
// (6000 windows of 10 ms a minute), which five markers (quantile.h) could not give. Windows in which nothing happened
// are in no bucket and need not be: the tail is counted from above.
// Pure: no clock, no allocation.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "probes/events.h"

namespace hosa::detect {

inline constexpr double kBetweenTripsS = 120;      // of each wire, when calm
inline constexpr double kLearnedS = 60;            // less calm than this says nothing of the tail
inline constexpr double kForgetAfterS = 2 * 3600;  // then what was seen weighs half

// The least amount that lies in a bucket, in units.
uint64_t bucket_edge(std::size_t bucket);

class WireHistogram {
 public:
  using Counts = std::array<float, HOSA_BUCKETS>;
  void add(std::size_t bucket, double windows) { counts_[bucket] += static_cast<float>(windows); }
  void halve() {
    for (float& count : counts_) count /= 2;
  }
  // In units: the least amount that calm exceeds at most once in kBetweenTripsS; nothing seen gives 0. `seconds`: how
  // long was looked.
  uint64_t limit(double seconds) const;

 private:
  Counts counts_{};
};

// A wire's limit between what is worth a look at all and what must never pass unseen.
struct WireBounds {
  uint64_t first = 0;  // before anything was learned
  uint64_t least = 0, most = 0;
};
// subject: hosa_subject; span: hosa_span. A leak that spreads over all CPUs hides below (number of CPUs) x (limit of a
// second's window), so on machines with many CPUs the highest limit is lower.
WireBounds wire_bounds(std::size_t subject, std::size_t span, std::size_t cpus);

}  // namespace hosa::detect
