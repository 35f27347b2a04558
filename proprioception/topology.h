// How this machine's CPUs and memory hang together: cores, threads of a core, clusters, last-level caches, memory
// nodes. Read once at start-up from sysfs; sizes the state vector (a busy ratio per last-level cache, available memory
// per node, where there are several). What sysfs does not tell (many guests hide their caches) counts as one.
//   devices/system/cpu/cpuN/topology/{thread_siblings,cluster_cpus,package_cpus|core_siblings}_list
//   devices/system/cpu/cpuN/cache/indexK/{level,shared_cpu_list}     the highest level is the last
//   devices/system/cpu/cpuN/cpu_capacity, devices/cpu_{core,atom}/cpus     kinds of cores (arm, Intel)
//   devices/system/node/{online,nodeN/distance,nodeN/meminfo}        numa.h: nodes at distance 10 are one
#pragma once
#include <array>
#include <cstdint>

#include "loader/sys/fd.h"
#include "proprioception/numa.h"

namespace hosa {

// CPUs beyond this number belong to no group (of their own dimension); they still count in the whole machine's ratios.
inline constexpr unsigned kMaxGroupedCpus = 1024;
// Dimensions per kind. More caches than that are taken together, neighbours with neighbours (two EPYC sockets have 32).
inline constexpr unsigned kMaxCacheGroups = 8;

struct Topology {
  unsigned cpus = 0;  // online
  unsigned packages = 0, cores = 0, threads_per_core = 0;
  unsigned clusters = 0;  // 0: the kernel does not say (before 5.16)
  unsigned caches = 0;    // last-level caches; 0: the kernel does not say
  unsigned cache_level = 0;
  unsigned core_kinds = 1;
  NumaNodes nodes;
  // Group of each CPU for the busy ratios, kNoGroup elsewhere; cache_groups <= kMaxCacheGroups, 0 where there is one.
  static constexpr uint8_t kNoGroup = 255;
  unsigned cache_groups = 0;
  std::array<uint8_t, kMaxGroupedCpus> cache_group{};
};

Topology read_topology(const Fd& sys);

}  // namespace hosa
