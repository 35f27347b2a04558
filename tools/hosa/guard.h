// ProcessGuard: the protected set as the agent uses it: what is found (proprioception/protected_set.h) and what the
// operator configured, in one answer with its reason (spec S3).
#pragma once
#include "proprioception/protected_set.h"
#include "tools/hosa/scope.h"

namespace hosa {

class ProcessGuard {
 public:
  ProcessGuard(const Fd& proc, const Scope& scope) : proc_(proc), scope_(scope) {}
  void set_own(int agent, int keeper) {
    own_[0] = agent;
    own_[1] = keeper;
  }
  // Cheap: names and users. Empty: not protected.
  std::string_view reason(const ProcessInfo& process, std::string_view cgroup_path);
  // Anybody protected in this cgroup or below? Then it is not limited or frozen as a whole.
  std::string_view reason_for_cgroup(const Fd& cgroup, std::string_view path);
  // Marks the members that are protected; answers how many are not. What their descriptors say and who traces is asked
  // once in 5 s: a look at 27 new processes is 190 ms on a 125 MIPS board, and is taken in the insured stage so that
  // the hold begins at once.
  int mark(Members& members, std::string_view cgroup_path, const Census& census, double now_s);
  ProcessNames& names() { return names_; }
  std::span<const int> own() const { return own_; }
  const Scope& scope() const { return scope_; }

 private:
  const Fd& proc_;
  struct Judged {
    int pid = 0;
    uint64_t start_ticks = 0;
    bool is_protected = false;
  };
  bool is_protected_dearly(const ProcessInfo& process);

  const Scope& scope_;
  ProcessNames names_;
  Tracers tracers_;
  FixedVector<Judged, kMembers> judged_;  // dearly, since
  double judged_since_s_ = -1e9;
  int own_[2] = {0, 0};
};

}  // namespace hosa
