// Shedding: what is left out when watching costs too much, in a fixed order: first the mix of system calls, then
// wake-ups (findings 6: the dearest first). The cost is what the probes' events cost by measurement, as a share of all
// CPUs; bpf_stats would cost more than it tells. Left out at once a whole second lies over the budget, taken back one
// step at a time after ten seconds in which it would lie below half of it. Pure.
#pragma once

namespace hosa {

struct EventRates {  // per second, on all CPUs
  double switches = 0, wakeups = 0, pages = 0, packets = 0, forks = 0;
};

class Shedding {
 public:
  enum Step { kNothing, kSyscalls, kWakeups };
  static constexpr double kBudgetShare = 0.03;  // hackbench may cost 5 % (spec), part of which is the loop's own
  static constexpr double kOverS = 1, kUnderS = 10;
  // ns per event: Linux 6.18, differences of measured loops (findings 6; make bench).
  static constexpr double kWakeupNs = 90, kPageNs = 100, kPacketNs = 60, kForkNs = 400, kSyscallNs = 67;

  // wakeups: as counted, or, while they are left out, as switches say. True: the step has changed.
  bool step(const EventRates& rates, double cpus, double elapsed_s) {
    const double others = rates.pages * kPageNs + rates.packets * kPacketNs + rates.forks * kForkNs;
    share_ = (others + rates.wakeups * kWakeupNs) * 1e-9 / (cpus < 1 ? 1 : cpus);
    over_s_ = share_ > kBudgetShare ? over_s_ + elapsed_s : 0;
    under_s_ = share_ < kBudgetShare / 2 ? under_s_ + elapsed_s : 0;
    if (over_s_ >= kOverS && step_ < kWakeups) return move(+1);
    if (under_s_ >= kUnderS && step_ > kNothing) return move(-1);
    return false;
  }
  Step now() const { return static_cast<Step>(step_); }
  double share() const { return share_; }

 private:
  bool move(int by) {
    step_ += by;
    over_s_ = under_s_ = 0;
    return true;
  }
  int step_ = kNothing;
  double share_ = 0, over_s_ = 0, under_s_ = 0;
};

}  // namespace hosa
