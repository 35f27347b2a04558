// IdlePasses: SCHED_IDLE on every thread of a culprit's processes, where it has no cpu.weight; and whole sessions
// slowed at one stroke where the scheduler shares by sessions. A pass each 50 ms, so that what is born under the lease
// is held, too (holding.md 3); fewer once nobody new is found.
#pragma once
#include "tools/hosa/cpu_episode.h"
#include "tools/hosa/v1_shares.h"
#include "tools/hosa/whole_sessions.h"

namespace hosa {

class IdlePasses {
 public:
  void begin(uint64_t boot_ticks);  // who is younger than 3 s then was born of the storm
  // The first pass; afterwards pass() each tick.
  void start(const HoldContext& c, CpuEpisode& e);
  void pass(const HoldContext& c, CpuEpisode& e);
  void storms() { storming_ = true; }  // the next rounds will find many
  bool settling(double now_s) const;   // somebody who was not idle was found a moment ago
  bool settling() const { return settling(passed_s_); }
  // Round after round; not where all of its v1 cgroup is behind everybody.
  bool rushing() const { return storming_ && !shares_.lowered(); }
  double pace_s(const CpuEpisode& e, double now_s) const;

  void see(const HoldContext& c, const CpuEpisode& e) { seen_s_ = c.census.glance(e.unit, members_); }
  const Members& members() const { return members_; }  // of the unit, as they were when seen
  double seen_s() const { return seen_s_; }            // CLOCK_MONOTONIC

  void give_back(const HoldContext& c, CpuEpisode& e);
  void forget() { whole_sessions_.forget(), shares_.forget(); }

 private:
  bool slow_sessions(const HoldContext& c, CpuEpisode& e);
  void lower_autogroups(const HoldContext& c);
  void storm_round(const HoldContext& c, CpuEpisode& e);
  void idle_round(const HoldContext& c, CpuEpisode& e);
  void keep_shares(const HoldContext& c, const CpuEpisode& e);
  void idle_one(const HoldContext& c, CpuEpisode& e, const ProcessRef& process);

  Members members_;
  uint64_t begun_ticks_ = 0;
  FixedVector<ProcessRef, kMembers> yielding_, idled_now_;  // who is SCHED_IDLE; who was looked at in this pass
  WholeSessions whole_sessions_;
  V1Shares shares_;
  JudgedNames names_;
  FixedVector<int, kMembers> done_;  // ascending: who was made idle, or was it, while the storm goes on
  std::size_t pass_ = 0;
  bool storming_ = true;  // the last round found many
  double passed_s_ = 0, found_s_ = -1e9, seen_s_ = -1e9;
};

}  // namespace hosa
