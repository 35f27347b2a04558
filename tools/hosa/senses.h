// Senses: everything read and judged at one moment, before anybody is suspected. The straight line's first half:
// sensors and probes -> state vector -> detector -> Moment. Built once; no allocation afterwards.
#pragma once
#include <optional>

#include "detect/detector.h"
#include "proprioception/machine.h"
#include "tools/hosa/options.h"
#include "tools/hosa/shedding.h"
#include "tools/hosa/state_vector.h"
#include "tools/hosa/time_left.h"
#include "tools/hosa/turns.h"
#include "tools/hosa/unowned.h"
#include "tools/hosa/work_indices.h"

namespace hosa {

// One tripwire that sounded since the last moment.
struct Trip {
  bool sounded = false;
  hosa_event event{};
};

struct Moment {
  double now_s = 0;            // CLOCK_MONOTONIC
  double boot_s = 0;           // CLOCK_BOOTTIME, for audit lines
  double available_bytes = 0;  // MemAvailable
  double total_bytes = 0;
  double reserve_bytes = 0;
  double horizon_s = 0;        // until MemAvailable less the reserve is used up; infinity when it does not shrink
  TimeLeft left;               // of memory the same, and of what else can be used up
  double waiting_share = 0;    // PSI cpu some over the last half second; without PSI the run queue over the last second
  double waiting_now = 0;      // the same since the last reading
  double beat_s = 0;           // how long ago that was
  bool exact_waiting = false;  // by PSI: each second of it was waited
  double running = 0, running_per_cpu = 0;  // tasks that run or could, but for this process
  UnownedBytes unowned;
  double tasks = 0;
  const detect::Verdict* verdict = nullptr;
  const detect::Detector* detector = nullptr;  // for what is normal
};

class Senses {
 public:
  // The roots must outlive it; sys may be empty. Answers what rung each probe stands on.
  void open(const Fd& proc, const Fd& sys, const Machine& machine, const Options& options, RungReport& rungs);
  // learning: false while an action is in force. own_containment: our limits make memory pressure now. suspicious:
  // somebody is being looked for, so everything is read (sensors.h).
  const Moment& take(bool learning, bool own_containment, bool suspicious);
  // The same moment, later: only the clocks are read. What a running bucket needs between two readings.
  const Moment& later();

  // Whether the largest user of CPU time takes an unusual share of it: from the next moment on.
  void tell_share(bool unusual) { unusual_share_ = unusual; }
  // Somebody runs under a bucket that counts the machine's shared and kernel memory: 10 ms are 0.5 MB of a leak.
  void read_unowned();
  double available_now() const { return sensors_.available_bytes(); }
  TaskCounts tasks_now() const { return sensors_.tasks(); }

  KernelSide& kernel() { return kernel_; }
  const KernelSide& kernel() const { return kernel_; }
  const StateVector& vector() const { return vector_; }
  const detect::Detector& detector() const { return *detector_; }
  detect::Detector& detector() { return *detector_; }  // for what is recalled of earlier runs
  const Sample& sample() const { return sample_; }
  const Readings& readings() const { return readings_; }
  const detect::Context& context() const { return context_; }
  const Turns& turns() const { return turns_; }
  const Shedding& shedding() const { return shedding_; }
  // Said once each time something is left out or taken back; empty otherwise.
  std::string_view shedding_news();
  const Topology& topology() const { return topology_; }

 private:
  void read_waiting(double now_s);

  void read_everything(bool calm);
  double calendar_seconds();
  void look_closely_if_needed();
  void keep_within_budget();

  Sensors sensors_;
  HardwareSensors hardware_sensors_;
  Topology topology_;
  Hardware hardware_;
  MeanLatency io_latency_;
  KernelSide kernel_;
  StateVector vector_;
  std::optional<detect::Detector> detector_;
  Exhaustion exhaustion_;
  WorkIndices indices_;
  detect::Context context_;
  double most_tasks_ = 0;
  Readings readings_;
  Sample sample_;
  Moment moment_;
  Shedding shedding_;
  Turns turns_;
  bool news_ = false, unusual_share_ = false;
  Counters budget_before_;
  double budget_read_s_ = 0, switches_before_ = 0, switches_read_ = 0;
  double wakeups_per_switch_ = 0.5, wakeups_left_out_ = 0;  // what the wake-ups' total lacks, by the switches
  double room_option_ = 0;
  double clock_asked_s_ = -1e9;
  bool clock_kept_ = false;
  double close_until_s_ = 0, wait_before_s_ = 0, wait_read_s_ = 0, wait_now_before_s_ = 0, wait_now_read_s_ = 0;
};

uint64_t clock_ns(int clock);

}  // namespace hosa
