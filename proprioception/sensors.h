// Sensors: all of the machine's raw values in one reading, from files of /proc that stay open. The loop calls read() at
// each tick (2 a second when calm, up to 100 in an episode); nothing is allocated, nothing waits. What this kernel does
// not offer is absent in the Sample (psi=0, no swap events, no network), never an error: a rung lower, not a failed
// start. Rates, smoothing and judgement are the detector's business.
#pragma once
#include <cstdint>

#include "proprioception/kernel_text.h"
#include "proprioception/signal.h"

namespace hosa {

struct Sample {
  double value[kSignals] = {};
  bool present[kSignals] = {};
  uint64_t monotonic_ns = 0;  // CLOCK_MONOTONIC after the last file was read: what rates are formed over
  uint64_t boottime_ns = 0;   // CLOCK_BOOTTIME: goes on in suspend; ages and deadlines

  double operator[](Signal signal) const { return value[static_cast<std::size_t>(signal)]; }
  bool has(Signal signal) const { return present[static_cast<std::size_t>(signal)]; }
};

// `--without psi` forces the rung below for tests.
struct Without {
  bool psi = false;
};

class Sensors {
 public:
  // proc: the root of procfs, or of a fixture tree. net/* is of the network namespace that proc's `self` is in.
  static Sensors open(const Fd& proc, Without without = {});
  // 85 us (Linux 6.18, 2 CPUs, musl build). Uses 64 KiB of stack.
  void read(Sample& sample);
  // Files that could be opened, for `hosa doctor`.
  bool has_psi() const { return memory_pressure_.present(); }

 private:
  void read_cpu(Sample& sample, std::span<char> buffer) const;
  void read_memory(Sample& sample, std::span<char> buffer) const;
  void read_vmstat(Sample& sample, std::span<char> buffer) const;
  void read_pressure(Sample& sample, std::span<char> buffer) const;
  void read_disks(Sample& sample, std::span<char> buffer) const;
  void read_network(Sample& sample, std::span<char> buffer);
  std::optional<uint64_t> listen_drops(std::optional<uint64_t> segments_in, std::span<char> buffer);

  double page_bytes_ = 0, ticks_per_second_ = 0;
  KernelText stat_, loadavg_, file_nr_, meminfo_, vmstat_, buddyinfo_, diskstats_;
  KernelText cpu_pressure_, memory_pressure_, io_pressure_;
  KernelText net_dev_, net_snmp_, netstat_, sockstat_;
  std::optional<uint64_t> segments_in_, listen_drops_;  // as netstat was read last
};

}  // namespace hosa
