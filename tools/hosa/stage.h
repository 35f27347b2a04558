// Stage: where `hosa demo` and `hosa selftest` play. A cgroup and a state directory of their own, culprits (faults of
// demo_faults.h, bounded by themselves), an agent (`hosa run --only` on them, the file that ships), and a tidier that
// waits for this process to end, however it ends, and leaves nothing behind: it ends the agent (whose keeper gives
// everything back), kills the culprits and removes cgroup and directory.
#pragma once
#include <sys/types.h>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"
#include "tools/hosa/demo_faults.h"

namespace hosa {

class Stage {
 public:
  static constexpr std::size_t kCulprits = 3;
  using Fault = void (*)(const FaultPlan&, FaultReport&);

  // Sets it up, tidier included. name: "demo" makes /run/hosa-demo.PID and the cgroup hosa-demo.PID.
  Result<void> open(const char* name);
  // Agent and culprits are children of this process; they join the cgroup.
  Result<void> start_culprit(std::size_t which, const FaultPlan& plan, Fault fault);
  Result<void> start_agent(const char* warmup, double room_bytes);
  void end_agent(int signal);  // and waits for it
  void end_culprit(std::size_t which);
  void close();  // everything ends; waits for the tidier

  const FaultReport& report(std::size_t which) const { return cast_->reports[which]; }
  pid_t culprit(std::size_t which) const { return cast_->culprits[which]; }
  const char* state() const { return state_.c_str(); }
  const Fd& cgroup() const { return cgroup_; }  // empty where there is no cgroup v2 or no right to make one

 private:
  // Shared with culprits and tidier.
  struct Cast {
    FaultReport reports[kCulprits];
    pid_t culprits[kCulprits];
    pid_t agent;
  };
  void make_cgroup();
  void empty_cgroup() const;
  [[noreturn]] void tidy_up(int stage_lives);

  FixedString<64> state_, cgroup_name_;
  Fd cgroup_root_, cgroup_;
  Cast* cast_ = nullptr;
  pid_t tidier_ = -1;
  int alive_end_ = -1;  // the tidier sees this end close
};

double monotonic_s();

}  // namespace hosa
