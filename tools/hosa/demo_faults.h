// The culprits of `hosa demo` and `hosa selftest`: a leak, a spinner, a burst of births. Each is a child process that
// is bounded by itself (bytes, seconds, and it dies with its parent), works before and after its fault, and counts that
// work where the demo sees it.
#pragma once
#include <cstdint>

namespace hosa {

// Shared with the demo by an anonymous mapping; one writer each.
struct FaultReport {
  uint64_t work_before = 0, work_after = 0;  // units of ordinary work in each of its two phases
  uint64_t leaked_bytes = 0;
  uint32_t phase = 0;  // 0 works, 1 in its fault, 2 works again, 3 ended
};

struct FaultPlan {
  double quiet_s = 6;  // ordinary work first: the detector learns meanwhile
  double fault_s = 10;
  double after_s = 3;
  double bytes_per_s = 20.0 * 1024 * 1024;
  double most_bytes = 56.0 * 1024 * 1024;  // with --room 64M less a sixteenth, what ends the fault anyway
  int spinners = 0;                        // processes, when it is a spinner
  int births = 200;                        // when it is a burst: born within half a second, asleep for the fault
};

[[noreturn]] void run_leak(const FaultPlan& plan, FaultReport& report);
[[noreturn]] void run_spinner(const FaultPlan& plan, FaultReport& report);
[[noreturn]] void run_burst(const FaultPlan& plan, FaultReport& report);

}  // namespace hosa
