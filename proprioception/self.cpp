#include "proprioception/self.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "loader/sys/text.h"

namespace hosa {

Self Self::open(const Fd& proc) {
  Self self;
  self.statm_ = KernelText::open(proc, "self/statm");
  return self;
}

SelfCost Self::read() const {
  SelfCost cost;
  char buffer[128];
  if (auto text = statm_.read(buffer)) {
    take_word(*text);
    cost.rss_bytes = to_number(take_word(*text)).value_or(0) * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  }
  timespec used{};
  if (::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used) == 0)
    cost.cpu_ns = static_cast<uint64_t>(used.tv_sec) * 1'000'000'000ULL + static_cast<uint64_t>(used.tv_nsec);
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) {
    cost.wakeups = static_cast<uint64_t>(usage.ru_nvcsw);
    cost.preemptions = static_cast<uint64_t>(usage.ru_nivcsw);
  }
  return cost;
}

}  // namespace hosa
