// /proc/stat: CPU time of the whole machine and the counters beside it, all since boot. CPU times are in clock ticks
// (USER_HZ = 100 a second on every port we run on; sysconf(_SC_CLK_TCK) says it).
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hosa {

struct CpuTicks {
  uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  // Guest time is part of user and is not counted again (kernel/sched/cputime.c, account_guest_time).
  uint64_t busy() const { return user + nice + system + irq + softirq + steal; }
};

struct KernelStat {
  std::optional<CpuTicks> cpu;  // the line "cpu", all CPUs together
  std::optional<uint64_t> context_switches;
  std::optional<uint64_t> interrupts;  // first number of "intr"
  std::optional<uint64_t> forks;       // "processes": includes threads
  std::optional<uint64_t> procs_running, procs_blocked;
};

KernelStat parse_kernel_stat(std::string_view text);

// Busy ticks and number of the CPUs of one group.
struct GroupTicks {
  uint64_t busy = 0;
  unsigned cpus = 0;
};
// Adds each line "cpuN" to out[group[N]]. CPUs whose group is no index of `out` are left out; one that is offline has
// no line.
void add_busy_by_group(std::string_view text, std::span<const uint8_t> group, std::span<GroupTicks> out);

// /proc/loadavg "0.02 0.08 0.06 2/97 8046": the second number of the fourth word, how many tasks (threads) exist. The
// averages themselves are not used: they are a minute old.
std::optional<uint64_t> parse_task_count(std::string_view loadavg);
// The first one: how many run or wait for a CPU at this moment, the reader among them.
std::optional<uint64_t> parse_running_count(std::string_view loadavg);
// Both; 0 where it says nothing.
struct TaskCounts {
  uint64_t running = 0, total = 0;
};

// /proc/sys/fs/file-nr "655 0 2466177": open file descriptions now, and the most there may be.
struct OpenFiles {
  std::optional<uint64_t> open, most;
};
OpenFiles parse_file_nr(std::string_view text);

}  // namespace hosa
