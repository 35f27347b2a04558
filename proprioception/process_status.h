// What is asked about single processes, and seldom: signals that wait for a held process, who traces it, its swap, its
// cgroup, its watchdog. `status` and `cgroup` never wait; `environ` can (it takes the lock that a process in reclaim
// may hold), so it is read before a process is held, never after.
#pragma once
#include "proprioception/capacity.h"
#include "proprioception/process.h"

namespace hosa {

struct ProcessStatus {
  uint64_t pending_signals = 0;  // SigPnd | ShdPnd: bit n-1 = signal n
  int tracer = 0;                // TracerPid, 0: none
  unsigned uid = 0;              // effective
  uint64_t swap_bytes = 0;       // VmSwap
  // SIGKILL works on a frozen process; HUP, INT, QUIT and TERM wait until it is thawed (holding.md 3).
  bool asked_to_end() const { return (pending_signals & kEndSignals) != 0; }
  static constexpr uint64_t kEndSignals = 1u << 0 | 1u << 1 | 1u << 2 | 1u << 14;
};
// Nothing if there is no Uid line: no status then.
std::optional<ProcessStatus> parse_status(std::string_view text);
Result<ProcessStatus> read_status(const Fd& proc, int pid);

// The v2 line of /proc/PID/cgroup, "0::/system.slice/x.service"; nothing where there is none. The path of a cgroup that
// has been removed ends in " (deleted)"; that is cut off.
using CgroupPath = FixedString<kCgroupPathBytes>;
std::optional<CgroupPath> parse_cgroup_path(std::string_view line);
std::optional<CgroupPath> read_cgroup_path(const Fd& proc, int pid);
// The path in the v1 hierarchy of cpu, by the whole text of that file; empty where there is no such hierarchy.
std::string_view v1_cpu_path(std::string_view cgroups);

// WATCHDOG_USEC in the environment it was started with (systemd's WatchdogSec=); at most 256 KiB are looked at. A
// freeze lasts at most a quarter of it.
std::optional<uint64_t> read_watchdog_usec(const Fd& proc, int pid);

std::optional<int> read_oom_score_adj(const Fd& proc, int pid);  // -1000..1000

}  // namespace hosa
