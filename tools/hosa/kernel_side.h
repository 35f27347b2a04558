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
//
// kernel_open.cpp opens, kernel_side.cpp is what a running agent asks. What can be switched while it runs has a header
// of its own: fault_sensor.h, brk_sensor.h, syscall_mix.h, embedded_probe.h (wake-ups).
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "loader/ringbuf.h"
#include "probes/events.h"
#include "tools/hosa/brk_sensor.h"
#include "tools/hosa/fault_sensor.h"
#include "tools/hosa/syscall_mix.h"

namespace hosa {

struct KernelSources {
  bool without_bpf = false;      // --without bpf: no map, no program; page faults may still be counted by perf
  bool without_tracefs = false;  // --without tracefs: no classic tracepoint, default gfp bits
  const char* proc = "/proc";
  const char* sys = "/sys";
};

enum class KernelSensor {
  memory,
  wakeups,
  faults,
  brk,
  block_io,
  block_bytes,
  packets,
  forks,
  execs,
  exits,
  syscalls,
  reclaim,
  oom_kills
};
inline constexpr std::size_t kKernelSensors = 13;

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
  uint64_t block_issues() const;  // of them: memory reads only

  // brk_sensor.h; rate = change of brk_calls / change of brk_observed_ns.
  bool brk_in_turns() const { return brk_.in_turns(); }
  Result<void> start_turn(uint64_t now_ns) { return brk_.start_turn(now_ns); }
  void stop_turn(uint64_t now_ns) { brk_.stop_turn(now_ns); }
  uint64_t brk_observed_ns(uint64_t now_ns) const { return brk_.observed_ns(now_ns); }

  // Wake-ups are the hottest event; off when over budget. On after open().
  void watch_wakeups(bool on) { wakeups_.watch(on); }
  // syscall_mix.h. Off after open().
  void watch_syscalls(bool on) { syscalls_.watch(on); }
  bool watching_syscalls() const { return syscalls_.on(); }
  using SyscallCounts = SyscallMix::Counts;
  void read_syscalls(SyscallCounts& sums) const { syscalls_.read(sums); }
  // fault_sensor.h: counted and attributed only while this is on. Off after open().
  void watch_faults(bool on) { faults_.watch(on); }

  // All zero after open(): nothing trips. Take effect at the next sample on each CPU.
  void set_limits(const WindowLimits& limits);  // of all CPUs
  void set_limit(std::size_t cpu, std::size_t subject, std::size_t span, uint64_t limit);
  // How many windows that are over held so much (events.h, HOSA_BUCKETS). 0 without BPF. Wraps around.
  uint32_t ended_windows(std::size_t cpu, std::size_t subject, std::size_t span, std::size_t bucket) const;
  uint32_t cpu_slots() const { return counters_ ? cpu_slots_ : 0; }
  // No record of such a window before this.
  void quiet_until(std::size_t subject, std::size_t span, uint64_t monotonic_ns);
  // What this process is handed trips no window of memory before this. One in HOSA_QUIETS processes takes its place.
  void quiet_process_until(uint32_t tgid, uint64_t monotonic_ns);
  // A record with span HOSA_QUOTA comes when that cgroup or process has been handed so many bytes more. slot <
  // HOSA_QUOTAS. False: nobody counts here.
  bool arm_quota(std::size_t slot, uint64_t cgroup, uint64_t bytes) { return arm(slot, cgroup, 0, bytes); }
  bool arm_process_quota(std::size_t slot, uint32_t tgid, uint64_t bytes) { return arm(slot, 0, tgid, bytes); }
  bool quota_used(std::size_t slot) const;
  void drop_quota(std::size_t slot);
  // A record with subject HOSA_EXIT comes when this process ends; 0: nobody. slot < HOSA_WATCHED.
  void watch_exit(std::size_t slot, uint32_t pid);

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
  Result<void> create_maps(const KernelSources& sources);
  Error find_tracefs(const KernelSources& sources);
  void configure(RungReport& report);
  void tell_huge_tmpfs(const KernelSources& sources, RungReport& report);
  Result<void> attach_raw(Bytes file, std::string_view program, const char* tracepoint);
  Result<void> attach_block_bytes();
  void open_raw_probes(const Error* no_bpf, RungReport& report);
  void open_block_bytes(const Error* no_bpf, RungReport& report);
  void open_wakeups(const Error* no_bpf, RungReport& report);
  void open_syscalls(const Error* no_bpf, RungReport& report);
  bool arm(std::size_t slot, uint64_t cgroup, uint32_t tgid, uint64_t bytes);
  void hold(Fd fd);
  void set_has(KernelSensor sensor) { has_[static_cast<std::size_t>(sensor)] = true; }
  hosa_cpu* slot(std::size_t cpu) const { return reinterpret_cast<hosa_cpu*>(counters_.data()) + cpu; }
  hosa_config* config() const { return reinterpret_cast<hosa_config*>(config_.data()); }

  Maps maps_;
  Mapping config_, counters_;
  uint32_t cpu_slots_ = 0;
  RingBuffer ring_;
  Fd tracefs_;
  Error no_tracefs_;         // why, when tracefs_ is empty
  std::array<Fd, 24> held_;  // programs and attachments
  std::size_t held_count_ = 0;
  SwitchedProbe wakeups_;
  SyscallMix syscalls_;
  FaultSensor faults_;
  BrkSensor brk_;
  std::array<bool, kKernelSensors> has_{};
};

}  // namespace hosa
