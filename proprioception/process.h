// One process as /proc/PID/stat and /proc/PID/statm tell it: the only two files read in an episode (0.1 ms, never wait;
// cmdline, maps and smaps take a lock that a process in reclaim can hold for long).
#pragma once
#include <optional>
#include <span>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

inline constexpr double kTicksPerSecond = 100;  // USER_HZ, of all ports: start times and CPU times in /proc

struct ProcessInfo {
  int pid = 0;
  int parent = 0;
  int session = 0;
  int terminal = 0;          // device number of the controlling terminal, 0: none
  uint64_t start_ticks = 0;  // since boot, field 22; with the pid it names a process for good
  uint64_t cpu_ticks = 0;    // user and system, 1/100 s
  uint64_t major_faults = 0;
  uint64_t stat_rss_pages = 0;  // resident as stat tells it (field 24): on 6.17 and later up to 32 pages a CPU behind
  uint64_t rss_pages = 0;       // resident as statm tells it; on <= 6.1 up to 64 pages per thread behind
  uint64_t shared_pages = 0;    // of them file-backed or shared memory
  unsigned flags = 0;           // PF_*, include/linux/sched.h
  int threads = 0;
  int nice = 0;
  char state = 0;        // R S D T t Z I X
  FixedString<15> comm;  // set by the process itself: for display, never for trust

  bool kernel_thread() const { return (flags & 0x00200000u) != 0; }  // PF_KTHREAD
  bool session_leader() const { return pid == session; }
  bool stopped() const { return state == 'T' || state == 't'; }
  uint64_t own_pages() const { return rss_pages > shared_pages ? rss_pages - shared_pages : 0; }
};

// What a process held when it was read last.
struct ProcessSizes {
  int pid = 0;
  uint64_t start_ticks = 0, stat_rss_pages = 0, rss_pages = 0, shared_pages = 0;
};

// comm may hold spaces, parentheses and newlines, so fields are counted from the last ')'. Nothing if the text is cut.
std::optional<ProcessInfo> parse_process_stat(std::string_view text);
bool parse_statm(std::string_view text, ProcessInfo& process);

// Reads both. ESRCH (or ENOENT): it has gone. statm is not read for kernel threads.
// `earlier`, ascending by pid: whoever stat says is as large as it was then is not asked for its statm again, which is
// half of the cost.
Result<ProcessInfo> read_process(const Fd& proc, int pid, std::span<const ProcessSizes> earlier = {});
// stat alone: who it is, not how large.
Result<ProcessInfo> read_process_stat(const Fd& proc, int pid);

// The two preads of a suspect (4.4 us both, Linux 6.18): descriptors of one process, kept open. ESRCH once it is gone,
// even if its pid is used again.
class ProcessMeter {
 public:
  ProcessMeter() = default;
  static Result<ProcessMeter> open(const Fd& proc, int pid);
  Result<ProcessInfo> read() const;

 private:
  Fd stat_, statm_;
};

// "PID/file" for openat below the root of procfs.
FixedString<64> process_path(int pid, const char* file);

}  // namespace hosa
