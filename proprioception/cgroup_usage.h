// What one cgroup uses: memory.current, memory.stat, cpu.stat, pids.current of an open cgroup directory. All numbers
// are the kernel's hierarchical ones: the cgroup and everything below it.
#pragma once
#include <cstdint>
#include <optional>

#include "proprioception/kernel_text.h"

namespace hosa {

struct MemoryStat {
  std::optional<uint64_t> active_file, inactive_file, slab_reclaimable, refault_file, major_faults;
};
MemoryStat parse_memory_stat(std::string_view text);

struct CgroupUsage {
  bool has_memory = false, has_cpu = false, has_pids = false;
  uint64_t current_bytes = 0;  // memory.current: exact to 64 pages per CPU
  // Bytes that cannot be dropped = memory.current - active_file - inactive_file - slab_reclaimable: anonymous memory,
  // tmpfs, socket buffers, kernel memory. Counting anonymous memory alone let a growing tmpfs file kill the innocent.
  uint64_t undroppable_bytes = 0;
  uint64_t refault_file_pages = 0, major_faults = 0;
  uint64_t cpu_usec = 0;      // cpu.stat usage_usec; there without the cpu controller, too
  uint64_t nr_throttled = 0;  // cpu.stat, only with the cpu controller
  uint64_t pids = 0;          // pids.current
};

// Opens the four files once and reads them by pread: what the loop does with its suspects at every tick (2 us per
// file).
class CgroupMeter {
 public:
  CgroupMeter() = default;
  static CgroupMeter open(const Fd& cgroup);
  CgroupUsage read() const;
  double read_current() const;      // memory.current alone; -1: gone
  CgroupUsage read_rates() const;   // CPU time and tasks alone
  CgroupUsage read_memory() const;  // the first two files only: what a running bucket asks for

 private:
  KernelText current_, stat_, cpu_, pids_;
};

// The same once, for a walk over all cgroups.
CgroupUsage read_cgroup_usage(const Fd& cgroup);

}  // namespace hosa
