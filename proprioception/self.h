// What hosa itself costs (spec S8): its budget is judged by the loop, its cost is shown by `hosa status` and /metrics.
#pragma once
#include "proprioception/kernel_text.h"

namespace hosa {

struct SelfCost {
  uint64_t rss_bytes = 0;    // /proc/self/statm, second number times the page size
  uint64_t cpu_ns = 0;       // CLOCK_PROCESS_CPUTIME_ID: user and system, all threads
  uint64_t wakeups = 0;      // getrusage ru_nvcsw: times the loop went to sleep, so times it was woken
  uint64_t preemptions = 0;  // ru_nivcsw: times somebody else was let in although there was work
};

class Self {
 public:
  static Self open(const Fd& proc);
  SelfCost read() const;

 private:
  KernelText statm_;
};

}  // namespace hosa
