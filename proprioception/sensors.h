// Sensors: all of the machine's raw values in one reading, from files of /proc that stay open. The loop calls read() at
// each tick (2 a second when calm, up to 10 in an episode); nothing is allocated, nothing waits. What this kernel does
// not offer is absent in the Sample (psi=0, no swap events, no network), never an error: a rung lower, not a failed
// start. Rates, smoothing and judgement are the detector's business.
//
// When calm, what cannot have changed is not read: the disks' file while the probe counts no request, the protocols'
// while no interface has moved a packet, the pressure of memory and io while nothing was reclaimed or asked of a disk,
// and what moves slowly (free orders, tasks, open files, sockets) each two seconds.
#pragma once
#include <cstdint>
#include <optional>

#include "proprioception/kernel_stat.h"
#include "proprioception/kernel_text.h"
#include "proprioception/meminfo.h"
#include "proprioception/signal.h"

namespace hosa {

struct Sample {
  double value[kSignals] = {};
  bool present[kSignals] = {};
  uint64_t monotonic_ns = 0;  // CLOCK_MONOTONIC after the last file was read: what rates are formed over
  uint64_t boottime_ns = 0;   // CLOCK_BOOTTIME: goes on in suspend; ages and deadlines

  double operator[](Signal signal) const { return value[static_cast<std::size_t>(signal)]; }
  bool has(Signal signal) const { return present[static_cast<std::size_t>(signal)]; }
  void put(Signal signal, double reading) {
    value[static_cast<std::size_t>(signal)] = reading;
    present[static_cast<std::size_t>(signal)] = true;
  }
  void put(Signal signal, std::optional<uint64_t> reading, double unit = 1.0) {
    if (reading) put(signal, static_cast<double>(*reading) * unit);
  }
  // A sum over devices is 0 while there is none: a network card may be plugged in later.
  void put_sum(Signal signal, std::optional<uint64_t> sum, double unit = 1.0) {
    put(signal, static_cast<double>(sum.value_or(0)) * unit);
  }
};

// Whether and why files may be left out of a reading.
struct Leisure {
  bool calm = false;                     // nobody is suspected, level 0
  std::optional<uint64_t> block_issues;  // as the probe counts them; without it the disks are always read
};

// `--without psi` forces the rung below for tests.
struct Without {
  bool psi = false;
};

class Sensors {
 public:
  // proc: the root of procfs, or of a fixture tree. net/* is of the network namespace that proc's `self` is in.
  static Sensors open(const Fd& proc, Without without = {});
  // 85 us with everything (Linux 6.18, 2 CPUs, musl build). Uses 64 KiB of stack.
  void read(Sample& sample, const Leisure& leisure = {});
  const Meminfo& memory_read() const { return memory_; }  // of the last reading
  Meminfo memory() const;                                 // alone, now: 10 us
  double available_bytes() const;                         // MemAvailable of now; 0 where it cannot be read
  TaskCounts tasks() const;                               // alone, now: 3 us
  // Files that could be opened, for `hosa doctor`.
  bool has_psi() const { return memory_pressure_.present(); }

 private:
  static constexpr uint64_t kElsewhereNs = 60'000'000'000;
  static constexpr uint64_t kOldestNs = 1'900'000'000;  // nothing that is left out is older, give or take a tick

  void read_cpu(std::span<char> buffer);
  void read_memory(std::span<char> buffer);
  void read_vmstat(std::span<char> buffer);
  void read_tasks(std::span<char> buffer);
  void read_pressure(std::span<char> buffer, bool all, bool disks);
  bool memory_may_have_waited();
  void read_free_orders(std::span<char> buffer);
  void read_open_files(std::span<char> buffer);
  void read_disks(std::span<char> buffer);
  bool disks_may_have_moved(std::optional<uint64_t> issues);
  // sensors_network.cpp
  void read_network(std::span<char> buffer, bool all);
  bool read_interfaces(std::span<char> buffer);  // false: as it was
  void read_protocols(std::span<char> buffer);
  void read_sockets(std::span<char> buffer);
  std::optional<uint64_t> listen_drops(std::optional<uint64_t> segments_in, std::span<char> buffer);

  double page_bytes_ = 0, ticks_per_second_ = 0;
  KernelText stat_, loadavg_, file_nr_, meminfo_, vmstat_, buddyinfo_, diskstats_;
  KernelText cpu_pressure_, memory_pressure_, io_pressure_;
  KernelText net_dev_, net_snmp_, netstat_, sockstat_;
  Meminfo memory_;
  Sample now_;
  uint64_t all_read_ns_ = 0;              // when nothing was left out last
  std::optional<uint64_t> block_issues_;  // at the last reading
  bool disks_moved_ = true;               // what was issued then may be completed now
  double reclaimed_ = -1, io_waited_ = 0;
  bool reclaim_moved_ = true;
  uint64_t elsewhere_until_ns_ = 0;  // somebody waits for io that is no disk's here (NFS): always read
  uint64_t interfaces_seen_ = 0;     // the text of net/dev, hashed
  std::optional<uint64_t> segments_in_, listen_drops_;  // as netstat was read last
};

}  // namespace hosa
