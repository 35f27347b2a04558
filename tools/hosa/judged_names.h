// JudgedNames: who in a storm of forks may be held, without asking each what it runs (0.7 ms on a 125 MIPS board). Who
// was forked since the storm began runs what another of its unit by the same name runs; older ones are asked each, and
// so are session leaders (a login shell is one).
#pragma once
#include <algorithm>

#include "tools/hosa/hold_context.h"

namespace hosa {

class JudgedNames {
 public:
  // Who started from then on, in ticks since boot, is of the storm.
  void begin(uint64_t since_ticks) {
    since_ticks_ = since_ticks;
    names_.clear();
  }
  // False: it is protected.
  bool allow(const HoldContext& c, const ProcessInfo& process, std::string_view path) {
    const bool young = process.start_ticks >= since_ticks_ && !process.session_leader();
    if (young && std::find(names_.begin(), names_.end(), process.comm) != names_.end()) return true;
    if (!c.guard.reason(process, path).empty()) return false;
    if (std::find(names_.begin(), names_.end(), process.comm) == names_.end()) (void)names_.push_back(process.comm);
    return true;
  }

 private:
  FixedVector<FixedString<15>, 16> names_;
  uint64_t since_ticks_ = 0;
};

}  // namespace hosa
