// CpuEpisode: what is known of one culprit's CPU time and tasks from its naming until everything is given back: who it
// is, where its cgroup is, how far the plan (CpuHolding) has come and by what it is slowed. CpuHold, CpuLimits and
// IdleThreads work on it; what it says of itself is the same in every audit line and in `status`.
#pragma once
#include "actuate/cpu_holding.h"
#include "actuate/limit.h"
#include "tools/hosa/hold_context.h"

namespace hosa {

// First choice first (holding.md 3); asked: the keeper switches the controller on.
enum class CpuMeans : uint8_t { none, asked, weight, idle };

struct CpuEpisode {
  Unit unit;
  Finding finding;
  Cause cause = Cause::none;
  Carrier carrier = Carrier::cpu;
  CpuHolding holding;
  CpuMeans means = CpuMeans::none;
  Fd cgroup;  // none for a tree
  CgroupMeter meter;
  bool controllable = false;  // a cgroup of its own, with nobody protected in it
  bool covered = false;       // all of them are in sessions that are slowed as a whole
  int idled = 0;              // threads that were made SCHED_IDLE so far

  CgroupRef cgroup_ref() const { return {&cgroup, unit.id, unit.path.view()}; }
  // CPU seconds per second that cpu.max allows.
  double quota_per_s(const HoldContext& c) const;
  void describe(JsonLine& line) const;
  // One audit line. explained: with the finding that named it and the state of the machine.
  void note(const HoldContext& c, const char* event, const char* action, std::string_view old_value,
            std::string_view new_value, const char* result, bool explained = false) const;
};

}  // namespace hosa
