// UseHistory: what every unit (cgroup, or process tree where all live in the root cgroup) used some seconds ago, so
// that a culprit is found by change since onset, not by size (spec 6).
//
// Filled by each calm census (every 2 s or slower); a dozen generations reach back half a minute. Fixed memory.
#pragma once
#include <array>
#include <cstdint>
#include <span>

namespace hosa {

struct UnitUse {
  uint64_t unit = 0;  // cgroup id, or pid-derived key
  double bytes = 0;   // bytes that cannot be dropped
  double cpu_s = 0;   // CPU seconds used so far
  double forks = 0;   // processes born so far, or alive now where births cannot be seen
  // Of bytes: what shows in none of its processes.
  double shared_bytes = 0, kernel_bytes = 0;
};

inline constexpr std::size_t kUnits = 512;  // a Kubernetes node has 110 pods by default, each two or three cgroups

class UseHistory {
 public:
  static constexpr std::size_t kGenerations = 12;
  static constexpr double kSpacingS = 2;

  struct Generation {
    double time_s = -1;
    std::size_t count = 0;
    std::array<UnitUse, kUnits> uses{};  // sorted by unit

    void fill(double now_s, std::span<const UnitUse> from);
    // nullptr: the unit did not exist then, all it has is growth.
    const UnitUse* find(uint64_t unit) const;
  };

  // Called with every calm census; keeps one generation per kSpacingS.
  void remember(double now_s, std::span<const UnitUse> uses);
  // The youngest generation that is not younger than time_s, else the oldest there is; nullptr when there is none.
  const Generation* at(double time_s) const;

 private:
  std::array<Generation, kGenerations> ring_{};
  std::size_t newest_ = 0;
};

}  // namespace hosa
