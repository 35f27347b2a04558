// Page faults of user mode, counted only while somebody wants to know: from level 1 on, since the program costs 51-74
// ns a fault. raw tracepoint page_fault_user (x86) -> a perf counter per CPU -> absent (then /proc/vmstat has them).
#pragma once
#include <array>
#include <cstdint>

#include "tools/hosa/embedded_probe.h"
#include "tools/hosa/rungs.h"

namespace hosa {

class FaultSensor {
 public:
  // sys: "/sys", where the CPUs are listed. Off afterwards. Adds its row to the report.
  void open(const char* sys, Maps& maps, const Error* no_bpf, RungReport& report);
  void close();
  bool there() const { return there_; }
  // On costs what attaching costs: about 1 ms.
  void watch(bool on);
  // What perf counters have counted since open(); the program counts in the slots of the CPUs. One read(2) per CPU.
  uint64_t counted() const;

 private:
  static constexpr std::size_t kMaxCounters = 512;  // CPUs; beyond, faults come from /proc/vmstat
  Result<void> open_counters();
  void close_counters();

  SwitchedProbe program_;
  std::array<Fd, kMaxCounters> counters_;
  std::size_t counter_count_ = 0;
  uint64_t before_ = 0;  // what counters that are closed again had counted
  FixedString<120> sys_;
  bool there_ = false, watching_ = false;
};

}  // namespace hosa
