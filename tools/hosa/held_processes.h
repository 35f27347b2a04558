// HeldProcesses: who of a culprit is held, what was done to each (oom_score_adj, SCHED_IDLE, autogroup; journalled),
// and how long all of them together may be frozen. The hold room's list; it freezes nobody itself.
#pragma once
#include <algorithm>

#include "actuate/autogroup.h"
#include "actuate/bucket.h"
#include "tools/hosa/hold_context.h"

namespace hosa {

class HeldProcesses {
 public:
  static constexpr std::size_t kMost = 256;

  void clear();
  // False: there are kMost. What is done to it is done by prepare().
  bool add(const ProcessRef& process);
  // Who was born in the room is held, too; who has gone is not any more.
  void adopt(const HoldContext& c, const PidList& inside);
  // What was done to them is undone: SCHED_IDLE, oom_score_adj, autogroup. cgroup: where their room is. The next
  // prepare() does it again.
  void give_cpu(const HoldContext& c, const Fd& cgroup);
  bool has_cpu() const { return has_cpu_; }
  // `members` of the unit tell whether a whole session is held. All of it once more where somebody else has undone it:
  // a hold of their CPU time that ends gives back what both wanted (swarm on the profile bare: each thaw kept others
  // waiting for 70 ms, p99 46 x healthy; 2.2 x so).
  void prepare(const HoldContext& c, const Members& members);

  bool contains(int pid) const {
    return std::any_of(all_.begin(), all_.end(), [pid](const ProcessRef& p) { return p.pid == pid; });
  }
  bool has_newcomers(const PidList& inside) const {
    return std::any_of(inside.begin(), inside.end(), [this](int pid) { return !contains(pid); });
  }
  std::size_t size() const { return all_.size(); }
  bool is_crowd() const { return all_.size() > Bucket::kCrowd; }
  std::span<const ProcessRef> all() const { return {all_.data(), all_.size()}; }
  FreezeLimits limits() const;
  void shorten_freezes(double longest_s) { limits_.longest_s = std::min(limits_.longest_s, longest_s); }

 private:
  void heed_watchdog(const HoldContext& c, int pid);

  FixedVector<ProcessRef, kMost> all_, unprepared_, gone_;
  FreezeLimits limits_;
  bool has_cpu_ = false;  // again
  bool idled_ = false;    // the last of them, when prepared
};

}  // namespace hosa
