// CpuHold: one culprit's CPU time and tasks, held. Binds the pure CpuHolding to cpu.weight, cpu.max and pids.max
// (CpuLimits), or, where the cgroup has no cpu controller and none can be switched on, to SCHED_IDLE on every thread of
// its processes (IdlePasses).
#pragma once
#include <algorithm>

#include "tools/hosa/cpu_limits.h"
#include "tools/hosa/idle_passes.h"

namespace hosa {

class CpuHold {
 public:
  // tasks: a fork storm; pids.max is set as well, at what is alive and half of what is left.
  bool begin(const HoldContext& c, const Unit& unit, const Finding& finding, Cause cause, Carrier carrier);
  void again(const HoldContext& c, const Finding& finding);
  // Held for its CPU time it turns out to be a storm of forks (or is one again): its tasks are limited, too.
  void storms(const HoldContext& c, const Finding& finding);
  Carrier carrier() const { return e_.carrier; }
  // Its tasks have just been limited: what memory it takes will show whether that was all.
  bool just_limited(double now_s) const {
    return limits_.tasks_limited() && level() > 0 && now_s - limits_.tasks_limited_s() < 3;
  }
  void step(const HoldContext& c);
  void release(const HoldContext& c, const char* why);
  void on_answer(const HoldContext& c, const KeeperAnswer& answer);
  void forget_everything(double now_s);

  CpuStage stage() const { return e_.holding.stage(); }
  int level() const { return e_.holding.level(); }
  const Unit& unit() const { return e_.unit; }
  double wish_s(double now_s) const {
    if (level() == 0) return 0.5;
    return e_.means == CpuMeans::idle ? passes_.pace_s(e_, now_s) : std::min(limits_.pace_s(now_s), 0.5);
  }
  // The machine is looked at when all are slowed: among a storm that takes long.
  bool settles(double now_s) const {
    return level() > 0 && (e_.means == CpuMeans::idle ? passes_.settling() : limits_.repairs(now_s));
  }
  void describe(JsonLine& line) const { e_.describe(line); }

 private:
  CpuObservation observe(const HoldContext& c);
  void observe_cgroup(CpuObservation& o);
  void carry_out(const HoldContext& c, const CpuOrders& orders);
  void lower_weight(const HoldContext& c);
  void use_weight(const HoldContext& c);
  void use_idle(const HoldContext& c);

  CpuEpisode e_;
  CpuLimits limits_;
  IdlePasses passes_;
  double begun_cpu_s_ = -1;
};

}  // namespace hosa
