// A pressure trigger: the kernel wakes us (EPOLLPRI) when tasks have waited for a resource longer than a threshold
// within a window, instead of at the next tick. Linux 5.2; Documentation/accounting/psi.rst. The descriptor is the
// trigger: closing it ends it. At most one wake-up per window.
//
// Limits of the kernel (kernel/sched/psi.c): window 0.5 to 10 s, threshold above 0 and at most the window; without
// CAP_SYS_RESOURCE (6.5 on; on one 6.18 for root as well) the window must be a multiple of 2 s. All are respected here:
// what is asked for is brought into range, and 2 s are tried where the kernel refuses.
#pragma once
#include <cstdint>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

struct PressureLimit {
  uint32_t threshold_us = 0;
  uint32_t window_us = 0;
};
inline constexpr uint32_t kShortestWindowUs = 500'000, kLongestWindowUs = 10'000'000, kUnprivilegedWindowUs = 2'000'000;

// Into the kernel's range, keeping the share of time where that can be.
PressureLimit allowed_limit(PressureLimit wanted);

// resource: "memory", "cpu" or "io"; "some" of the tasks. proc: root of procfs. On return `limit` is what is in force.
Result<Fd> open_pressure_trigger(const Fd& proc, const char* resource, PressureLimit& limit);

}  // namespace hosa
