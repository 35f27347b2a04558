// What this machine is: facts read once at start-up. Nothing here fails: what cannot be found out stays empty, 0 or
// false, and `hosa doctor` shows it. Sources are in the comments; proc, sys and the cgroup root may be fixture trees.
#pragma once
#include "loader/sys/fd.h"
#include "loader/sys/fixed.h"

namespace hosa {

enum class HugePages : unsigned char { absent, never, madvise, always };

struct Machine {
  uint64_t page_bytes = 0;       // sysconf(_SC_PAGESIZE): 4, 16 or 64 KiB
  uint64_t huge_page_bytes = 0;  // transparent huge page; with 16 KiB pages 32 MiB
  HugePages huge_pages = HugePages::absent;
  unsigned possible_cpus = 0;  // highest possible CPU number + 1: slots of arrays indexed by CPU
  unsigned online_cpus = 0;
  unsigned numa_nodes = 0;  // nodes at distance 10 of each other (numa=fake, Raspberry Pi 5) are one
  uint64_t ram_bytes = 0;   // MemTotal
  uint64_t swap_bytes = 0;  // SwapTotal
  uint64_t max_tasks = 0;   // smaller of kernel.pid_max and kernel.threads-max
  bool psi = false;         // /proc/pressure/memory can be read
  // The memory controller of cgroup v2: listed in cgroup.controllers of the v2 root.
  bool memory_controller = false;
  bool cpu_controller = false;
  FixedString<36> boot_id;   // /proc/sys/kernel/random/boot_id
  FixedString<96> kernel;    // /proc/sys/kernel/osrelease
  FixedString<128> model;    // board (devicetree) or DMI vendor and product; empty where neither exists
  bool virtualized = false;  // x86: the CPU flag "hypervisor"; else /sys/hypervisor or a model that names one
};

// cgroup_root: an open v2 root, or empty where there is none.
Machine read_machine(const Fd& proc, const Fd& sys, const Fd& cgroup_root);

// "0-3,8" -> highest number + 1 and how many; {0, 0} when the text is no such list.
struct CpuSet {
  unsigned slots = 0, count = 0;
};
CpuSet parse_cpu_set(std::string_view list);
// "always [madvise] never" -> madvise.
HugePages parse_huge_pages(std::string_view text);
// True if `word` is one of the words of a line such as cgroup.controllers.
bool has_word(std::string_view line, std::string_view word);

}  // namespace hosa
