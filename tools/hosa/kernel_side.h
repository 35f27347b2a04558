// KernelSide: everything the daemon has to do with its own BPF programs, behind one class. open() loads every embedded
// object and attaches each program on the best rung this kernel offers; afterwards the loop reads counters as plain
// memory, takes records from the ring, and once per tick reads the two tables of who used what. Nothing here fails the
// start: a probe that cannot be had is absent, and RungReport says why.
//
// One instance (of about 4 KB, on the stack of main: the static link has no __dso_handle, so no globals with
// destructors), one thread, no allocation after open(). All numbers are gross and since open(); the caller forms rates.
//   KernelSide side; RungReport report;
//   side.open({}, now_ns, report);
//   side.set_limits(limits);          -> records may come
//   epoll on side.ring_fd(); side.consume(events); side.totals(); side.read_usage_by_process(table)
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "loader/load.h"
#include "loader/object.h"
#include "loader/ringbuf.h"
#include "loader/sys/fd.h"
#include "loader/sys/fixed.h"
#include "loader/sys/mapping.h"
#include "probes/events.h"

namespace hosa {

// A row of the chain table of `doctor` and `status`: which rung a sensor stands on, and the reason why it is not a
// better one (empty when it is the best).
struct Rung {
  FixedString<23> sensor;
  FixedString<63> rung;
  FixedString<255> why_not_better;
};
using RungReport = FixedVector<Rung, 32>;

struct KernelSources {
  bool without_bpf = false;      // --without bpf: no map, no program; page faults may still be counted by perf
  bool without_tracefs = false;  // --without tracefs: no classic tracepoint, default gfp bits
  const char* proc = "/proc";
  const char* sys = "/sys";
};

enum class KernelSensor { memory, wakeups, faults, brk, block_io, block_bytes, packets, forks, execs, exits, syscalls };
inline constexpr std::size_t kKernelSensors = 11;

// Sums over all possible CPUs since open(). A sensor that is absent stays 0: ask has().
struct Counters {
  uint64_t wakeups = 0;
  uint64_t faults = 0;     // while watch_faults() was on
  uint64_t brk_calls = 0;  // while brk_observed_ns() ran
  uint64_t block_issues = 0;
  uint64_t block_bytes = 0;  // asked of block devices, before merging; both levels of a stacked one
  uint64_t packets = 0;      // given to network devices
  uint64_t forks = 0;        // threads too, as `processes` of /proc/stat
  uint64_t execs = 0;
  uint64_t exits = 0;
  uint64_t anon_bytes = 0;
  uint64_t all_bytes = 0;
  uint64_t records_lost = 0;                      // ring full
  uint64_t unattributed = 0;                      // samples for which a table had no room
  uint64_t made_processes = 0, made_cgroups = 0;  // entries ever made in the tables
};

struct CgroupShare {
  uint64_t cgroup = 0;
  hosa_usage usage{};
};
struct ProcessShare {
  uint32_t tgid = 0;  // 0: the idle task, that is interrupts on an idle CPU
  hosa_usage usage{};
};

// Amount per CPU and window from which a record is sent; 0 = never. [hosa_subject][hosa_span]
using WindowLimits = uint64_t[HOSA_SUBJECTS][HOSA_SPANS];
using KernelEvents = FixedVector<hosa_event, 64>;

class KernelSide {
 public:
  // Takes 80-100 ms (measured on 6.18, two CPUs: verifier and attaching). Adds one row per sensor to the report.
  // now_ns: CLOCK_MONOTONIC.
  void open(const KernelSources& sources, uint64_t now_ns, RungReport& report);
  void close();

  bool has(KernelSensor sensor) const { return has_[static_cast<std::size_t>(sensor)]; }

  // Memory reads only; on machines without the page-fault tracepoint (arm64) also one read(2) per CPU.
  Counters totals() const;

  // Where kprobes are missing, brk is counted by a syscall tracepoint, which puts every syscall of the machine on the
  // slow path (+27 ns): then it must run in short turns. start and stop cost 1 ms on an idle machine, up to 280 ms
  // beside 3,000 processes (a flag on every thread). Without need (any other rung) both do nothing.
  bool brk_in_turns() const { return brk_in_turns_; }
  Result<void> start_turn(uint64_t now_ns);
  void stop_turn(uint64_t now_ns);
  // How long brk calls have been counted: rate = change of brk_calls / change of this.
  uint64_t brk_observed_ns(uint64_t now_ns) const;

  // Wake-ups are the hottest event; off when over budget. On after open().
  void watch_wakeups(bool on);
  // The mix of system calls is counted while this is on; every call of the machine takes the slow path then (+67 ns).
  // Costs 1 ms each way on an idle machine and up to 280 ms beside 3,000 processes. Off after open().
  void watch_syscalls(bool on);
  bool watching_syscalls() const { return syscall_attachment_ ? true : false; }
  using SyscallCounts = std::array<uint32_t, HOSA_SYSCALLS>;
  void read_syscalls(SyscallCounts& sums) const;  // over all CPUs, wrapping around

  // Page faults are counted and attributed only while this is on: from level 1 on, since it costs 51-74 ns a fault (a
  // perf counter per CPU where the tracepoint is missing). Off after open(). On costs what attaching costs: about 1 ms.
  void watch_faults(bool on);

  // All zero after open(): nothing trips. Take effect at the next sample on each CPU.
  void set_limits(const WindowLimits& limits);  // of all CPUs
  void set_limit(std::size_t cpu, std::size_t subject, std::size_t span, uint64_t limit);
  // How many windows that are over held so much (events.h, HOSA_BUCKETS). 0 without BPF. Wraps around.
  uint32_t ended_windows(std::size_t cpu, std::size_t subject, std::size_t span, std::size_t bucket) const;
  uint32_t cpu_slots() const { return counters_ ? cpu_slots_ : 0; }
  void quiet_until(uint64_t monotonic_ns);
  // A record with span HOSA_QUOTA comes when that cgroup has been handed so many bytes more. slot < HOSA_QUOTAS.
  void arm_quota(std::size_t slot, uint64_t cgroup, uint64_t bytes);
  void drop_quota(std::size_t slot);

  // For epoll, EPOLLIN, level-triggered; -1 without BPF.
  int ring_fd() const { return maps_.find("records"); }
  // Takes up to 64 records. Full afterwards: more may wait (the level-triggered descriptor says so).
  void consume(KernelEvents& events);
  uint64_t records_damaged() const { return ring_.damaged(); }

  // Fills the table with who was handed memory and who forked, in no order; how many rows. Bounded LRU tables: one
  // that has been idle longest goes first, and a cumulative value that falls means it went and came back.
  Result<std::size_t> read_usage_by_cgroup(std::span<CgroupShare> out) const;
  Result<std::size_t> read_usage_by_process(std::span<ProcessShare> out) const;
  // Entries that the tables dropped for others since open(), with all that was counted in them. Reads both tables'
  // keys: for whoever asks, not for the loop.
  struct Forgotten {
    uint64_t processes = 0, cgroups = 0, samples = 0;  // samples: found no room at all
  };
  Forgotten forgotten() const;

 private:
  static constexpr std::size_t kMaxFaultCounters = 512;  // CPUs; beyond, faults come from /proc/vmstat

  Result<void> create_maps(const KernelSources& sources);
  Error find_tracefs(const KernelSources& sources);
  void configure(RungReport& report);
  Result<Fd> load(Bytes file, std::string_view program);
  Result<void> attach_block_bytes();
  void open_wakeups(const Error* no_bpf, RungReport& report);
  void open_syscalls(const Error* no_bpf, RungReport& report);
  Result<void> try_syscall_program();
  Result<void> attach_raw(Bytes file, std::string_view program, const char* tracepoint);
  void open_raw_probes(const Error* no_bpf, RungReport& report);
  void open_brk(const KernelSources& sources, const Error* no_bpf, uint64_t now_ns, RungReport& report);
  Result<void> attach_brk_kprobe(const KernelSources& sources);
  Result<void> attach_brk_tracepoint(uint64_t now_ns);
  void open_faults(const KernelSources& sources, const Error* no_bpf, RungReport& report);
  Result<void> try_fault_program();
  Result<void> open_fault_counters();
  void close_fault_counters();
  void hold(Fd fd);
  void set_has(KernelSensor sensor) { has_[static_cast<std::size_t>(sensor)] = true; }
  hosa_cpu* slot(std::size_t cpu) const { return reinterpret_cast<hosa_cpu*>(counters_.data()) + cpu; }
  hosa_config* config() const { return reinterpret_cast<hosa_config*>(config_.data()); }

  Maps maps_;
  Mapping config_;
  Mapping counters_;
  uint32_t cpu_slots_ = 0;
  RingBuffer ring_;
  Fd tracefs_;
  Error no_tracefs_;         // why, when tracefs_ is empty
  std::array<Fd, 24> held_;  // programs and attachments
  std::size_t held_count_ = 0;
  std::array<Fd, kMaxFaultCounters> fault_counters_;
  std::size_t fault_counter_count_ = 0;
  uint64_t faults_before_ = 0;  // what counters that are closed again had counted
  FixedString<120> sys_root_;   // where the CPUs are listed
  Fd wakeup_program_, wakeup_attachment_;
  Fd syscall_program_, syscall_attachment_;
  Mapping syscalls_;
  Fd fault_program_;
  Fd fault_attachment_;
  bool watching_faults_ = false;
  Fd brk_program_;
  Fd brk_attachment_;
  uint64_t brk_observed_ns_ = 0;
  uint64_t brk_since_ns_ = 0;
  bool brk_in_turns_ = false;
  std::array<bool, kKernelSensors> has_{};
};

}  // namespace hosa
