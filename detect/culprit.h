// Who did it: found by change since onset, not by size (findings: going by size kills the innocent).
//
// The caller measures, for the resource that carries the distance, how much each candidate (cgroup or process) has
// grown since the episode began, and asks here. Shares are of the sum of all positive growth; who shrank is no suspect.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hosa::detect {

struct Growth {
  uint64_t key;   // cgroup id or process id: the caller's business
  double amount;  // growth since onset, any unit; negative or not finite counts as none
};

struct Attribution {
  static constexpr std::size_t kNobody = SIZE_MAX;
  std::size_t culprit = kNobody;  // index into what was handed in
  double share = 0;               // 0..1
  std::size_t runner_up = kNobody;
  double runner_up_share = 0;
  double total = 0;            // sum of positive growth
  bool explains_half = false;  // share > 1/2: below that nobody is contained (spec 6)
};

// Of equal growth the earlier entry wins. Nobody grew: culprit stays kNobody.
Attribution attribute(std::span<const Growth> growth);

}  // namespace hosa::detect
