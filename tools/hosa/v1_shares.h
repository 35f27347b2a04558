// V1Shares: cpu.shares 2 of 1024 for the held where the cpu controller is a cgroup v1 hierarchy (Debian 10, vendors'
// kernels). There SCHED_IDLE counts only among the tasks of one cgroup, and a thawed leaker was its neighbour's equal
// (lab leak, 5.10, a hierarchy per controller: p99 4.7 x healthy). One cgroup, that of the last of the held, and only
// while nobody is in it or below it but the held, who was born since shortly before they were named, and who is
// SCHED_IDLE anyway.
#pragma once
#include <span>

#include "actuate/undo.h"
#include "tools/hosa/hold_context.h"

namespace hosa {

// Whether nobody is in a cgroup or below it but the held (process ids, ascending), who was born since born_ticks (clock
// ticks since boot), and who is SCHED_IDLE. members: how many were looked at.
struct Inside {
  bool only_held = false;
  std::size_t members = 0;
};
Inside look_inside(const Fd& cgroup, const Fd& proc, std::span<const int> held, uint64_t born_ticks);

class V1Shares {
 public:
  enum class Change : uint8_t { none, lowered, given_back, somebodys };

  // Each tick; looks twice a second, less often among many.
  Change step(const HoldContext& c, std::span<const int> held, uint64_t born_ticks);
  Change restore(const HoldContext& c);
  void forget() { entry_ = -1, cgroup_.reset(); }  // the keeper gave everything back

  bool lowered() const { return entry_ >= 0; }

  // An audit line of the episode in which it happened.
  template <class Episode>
  void note(const HoldContext& c, const Episode& e, Change change) const {
    const std::string_view before = old_value_.view();
    if (change == Change::lowered) e.note(c, "act", "cpu.shares", before, kLowest, "ok");
    if (change == Change::given_back) e.note(c, "given_back", "cpu.shares", kLowest, before, undone_name(undone_));
    if (change == Change::somebodys) e.note(c, "changed", "cpu.shares", kLowest, "", "somebody else's value: left");
  }

 private:
  static constexpr std::string_view kLowest = "2";  // kernel/sched/sched.h, MIN_SHARES

  bool open_of(const HoldContext& c, int pid);
  bool open_of_any(const HoldContext& c, std::span<const int> held);

  Fd cgroup_;
  FixedString<kCgroupPathBytes> path_;
  ValueText old_value_;
  Undone undone_ = Undone::restored;  // what became of it at the end
  int entry_ = -1, rewrites_ = 0;
  double looked_s_ = -1e9, pace_s_ = 0;
};

}  // namespace hosa
