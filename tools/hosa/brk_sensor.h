// brk calls, counted in the slots of the CPUs. A kprobe costs nothing to anybody else. Where kprobes are missing, brk
// is counted by a syscall tracepoint, which puts every syscall of the machine on the slow path (+27 ns): then it runs
// in short turns. start and stop of a turn cost 1 ms on an idle machine, up to 280 ms beside 3,000 processes (a flag on
// every thread).
#pragma once
#include <cstdint>

#include "tools/hosa/embedded_probe.h"
#include "tools/hosa/rungs.h"

namespace hosa {

class BrkSensor {
 public:
  // sys: "/sys"; tracefs: borrowed, must live as long as this; empty: no_tracefs says why. Adds its row to the report.
  struct Places {
    const char* sys;
    const Fd* tracefs;
    const Error* no_tracefs;
  };
  void open(const Places& places, Maps& maps, const Error* no_bpf, uint64_t now_ns, RungReport& report);
  void close();
  bool there() const { return there_; }

  // Where it need not run in turns, start and stop do nothing.
  bool in_turns() const { return in_turns_; }
  Result<void> start_turn(uint64_t now_ns);
  void stop_turn(uint64_t now_ns);
  // How long calls have been counted: rate = change of their number / change of this.
  uint64_t observed_ns(uint64_t now_ns) const;

 private:
  Result<void> attach_kprobe_in(const char* sys, Maps& maps);
  Result<void> try_tracepoint(const Places& places, Maps& maps, uint64_t now_ns);

  const Fd* tracefs_ = nullptr;
  Fd program_, attachment_;
  uint64_t observed_ns_ = 0, since_ns_ = 0;
  bool there_ = false, in_turns_ = false;
};

}  // namespace hosa
