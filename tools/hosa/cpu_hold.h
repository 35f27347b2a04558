// CpuHold: one culprit's CPU time and tasks, held. Binds the pure CpuHolding to cpu.weight, cpu.max and pids.max, or,
// where the cgroup has no cpu controller and none can be switched on, to SCHED_IDLE on every thread of its processes,
// a pass each 50 ms so that what is born under the lease is held, too (holding.md 3).
#pragma once
#include "actuate/cpu_holding.h"
#include "tools/hosa/whole_sessions.h"

namespace hosa {

class CpuHold {
 public:
  enum class Means : uint8_t { none, asked, weight, idle };

  // tasks: a fork storm; pids.max is set as well, at what is alive and half of what is left.
  bool begin(const HoldContext& c, const Unit& unit, const Finding& finding, Cause cause, Carrier carrier);
  void again(const HoldContext& c, const Finding& finding);
  // Held for its CPU time it turns out to be a storm of forks (or is one again): its tasks are limited, too.
  void storms(const HoldContext& c, const Finding& finding);
  Carrier carrier() const { return carrier_; }
  // Its tasks have just been limited: what memory it takes will show whether that was all.
  bool just_limited(double now_s) const { return pids_entry_ >= 0 && level() > 0 && now_s - limited_s_ < 3; }
  void step(const HoldContext& c);
  void release(const HoldContext& c, const char* why);
  void on_answer(const HoldContext& c, const KeeperAnswer& answer);
  void forget_everything(double now_s);

  CpuStage stage() const { return holding_.stage(); }
  int level() const { return holding_.level(); }
  const Unit& unit() const { return unit_; }
  double wish_s(double now_s) const { return means_ == Means::idle && level() > 0 ? pass_pace_s(now_s) : 0.5; }
  bool settles() const { return means_ == Means::idle && level() > 0 && settling(passed_s_); }
  void describe(JsonLine& line) const;

 private:
  CpuObservation observe(const HoldContext& c);
  double quota_per_s(const HoldContext& c) const;  // CPU seconds per second that cpu.max allows
  void carry_out(const HoldContext& c, const CpuOrders& orders);
  void lower_weight(const HoldContext& c);
  void use_weight(const HoldContext& c);
  void use_idle(const HoldContext& c);
  bool settling(double now_s) const;  // somebody who was not idle was found a moment ago
  double pass_pace_s(double now_s) const;
  void see_members(const HoldContext& c);
  bool slow_sessions(const HoldContext& c);
  void idle_pass(const HoldContext& c);
  void lower_autogroups(const HoldContext& c);
  void storm_round(const HoldContext& c);
  void idle_round(const HoldContext& c);
  void idle_one(const HoldContext& c, const ProcessRef& process);
  void limit_tasks(const HoldContext& c);
  // S4, once a second: daemon-reload sets pids.max back and takes the controller, and with it weight and quota, away.
  void keep(const HoldContext& c);
  void ask_for_controller(const HoldContext& c);
  void give_back(const HoldContext& c, int& entry);
  void give_back_threads(const HoldContext& c);
  void note(const HoldContext& c, const char* event, const char* action, std::string_view old_value,
            std::string_view new_value, const char* result, bool explained = false);

  Unit unit_;
  CpuHolding holding_;
  Finding finding_;
  Cause cause_ = Cause::none;
  Carrier carrier_ = Carrier::cpu;
  Fd cgroup_;
  CgroupMeter meter_;
  Members members_;
  uint64_t begun_ticks_ = 0;
  FixedVector<ProcessRef, kMembers> yielding_, idled_now_;  // who is SCHED_IDLE; who was looked at in this pass
  WholeSessions whole_sessions_;
  JudgedNames names_;
  FixedVector<int, kMembers> done_;  // ascending: who was made idle, or was it, while the storm goes on
  double begun_cpu_s_ = -1;
  std::size_t pass_ = 0;
  bool storming_ = true;  // the last round found many
  Means means_ = Means::none;
  bool controllable_ = false;  // a cgroup of its own, with nobody protected in it
  bool covered_ = false;       // all of them are in sessions that are slowed as a whole
  int weight_entry_ = -1, quota_entry_ = -1, pids_entry_ = -1;
  int idled_ = 0;
  uint32_t asked_id_ = 0;
  double passed_s_ = 0, kept_s_ = 0, seen_s_ = -1e9, found_s_ = -1e9, limited_s_ = -1e9;
  int rewrites_ = 0;
};

}  // namespace hosa
