// CpuHolding: one culprit's way through the CPU rungs and back (spec 5 and 7). Pure, like Holding.
//
//   weight (level 2: cpu.weight down, or SCHED_IDLE on every thread where there is no cpu controller)
//     --- others still wait kEscalateS later, and a quota can be set ---> quota (level 3: cpu.max)
//   back one step after kHysteresisS without pushing; a relapse within 60 s doubles that.
//
// Pushing: under a quota, it is throttled and uses nearly all of it (ordinary work in bursts is throttled now and then,
// too); under a weight, it still takes more than half of the CPU time it took when it was named. And under both, it
// waits for a CPU most of the time (others may leave it too little to be seen: systemd is busy for 7 s of a 125 MIPS
// CPU with a daemon-reload, and in the lab's server-spin the storm was let go meanwhile), or pids.max refuses it a
// fork.
#pragma once
#include <cstdint>

namespace hosa {

enum class CpuStage : uint8_t { weight, quota, watching, done };

struct CpuObservation {
  double now_s = 0, read_s = 0;  // read_s: when the CPU seconds were read, where that is dear (0: now)
  double cpu_s = 0;              // CPU seconds used by the culprit so far
  uint64_t throttled = 0;        // cpu.stat nr_throttled
  double waiting_share = 0;      // how much of the time somebody waited for a CPU: PSI cpu some, 0..1
  double own_waiting_s =
      -1;                  // seconds in which somebody of the culprit waited for a CPU: its cpu.pressure; -1: unknown
  uint64_t refused = 0;    // forks: pids.events max, while pids.max is ours
  bool has_quota = false;  // cpu.max can be set for it
  double quota_per_s = 0;  // what it would allow or allows, CPU seconds per second
  bool gone = false;
};

struct CpuOrders {
  bool lower_weight = false, set_quota = false, drop_quota = false, restore_weight = false;
};

class CpuHolding {
 public:
  static constexpr double kEscalateS = 2, kHarm = 0.5, kHysteresisS = 3, kLongestHysteresisS = 600, kRelapseS = 60;

  static constexpr double kLeastPush = 0.5;  // of one CPU: less is nobody's storm
  static constexpr double kQuotaUsed = 0.85;
  static constexpr double kStarved = 0.7;  // of the time

  CpuOrders hold(const CpuObservation& o, double cpu_per_s_at_onset);
  CpuOrders step(const CpuObservation& o);
  CpuOrders release(double now_s);
  CpuStage stage() const { return stage_; }
  int level() const { return stage_ == CpuStage::weight ? 2 : stage_ == CpuStage::quota ? 3 : 0; }

 private:
  bool pushes(const CpuObservation& o);

  CpuStage stage_ = CpuStage::done;
  double entered_s_ = 0, pushed_s_ = 0, freed_s_ = -1e9, hysteresis_ = kHysteresisS;
  double onset_rate_ = 0, look_s_ = 0, look_cpu_s_ = 0, look_waiting_s_ = -1;
  uint64_t look_throttled_ = 0, look_refused_ = 0;
};

}  // namespace hosa
