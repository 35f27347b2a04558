#include "proprioception/topology.h"

#include <algorithm>

#include "loader/sys/cpu_list.h"
#include "loader/sys/fixed.h"
#include "proprioception/kernel_text.h"

namespace hosa {

namespace {

FixedString<96> cpu_path(unsigned cpu, const char* file) {
  FixedString<96> path("devices/system/cpu/cpu");
  path.append_unsigned(cpu).append("/").append(file);
  return path;
}

struct Sharing {
  unsigned first = 0, count = 0;  // of the CPUs that share; count 0: not told
};

Sharing read_sharing(const Fd& sys, const char* path) {
  char buffer[4096];
  const auto text = read_word(sys, path, buffer);
  Sharing sharing;
  if (!text) return sharing;
  bool any = false;
  const bool good = for_each_range(*text, [&](unsigned first, unsigned last) {
    if (!any) sharing.first = first;
    any = true;
    sharing.count += last - first + 1;
  });
  return good ? sharing : Sharing{};
}

Sharing sharing_of(const Fd& sys, unsigned cpu, const char* file) {
  return read_sharing(sys, cpu_path(cpu, file).c_str());
}

struct Cache {
  unsigned level = 0;
  Sharing sharing;
};

// The highest level that this CPU lists; instruction caches are level 1 and never win.
Cache last_cache(const Fd& sys, unsigned cpu) {
  Cache last;
  for (unsigned index = 0; index < 8; ++index) {
    FixedString<32> file("cache/index");
    file.append_unsigned(index);
    char buffer[32];
    const auto text =
        read_word(sys, FixedString<128>(cpu_path(cpu, file.c_str()).view()).append("/level").c_str(), buffer);
    if (!text) break;
    const auto level = to_number<unsigned>(*text);
    if (!level || *level < last.level || *level > 9) continue;
    last.level = *level;
    last.sharing =
        read_sharing(sys, FixedString<128>(cpu_path(cpu, file.c_str()).view()).append("/shared_cpu_list").c_str());
  }
  return last;
}

// Counts groups by their first CPU: each group is counted once, whatever the order.
void count_first(unsigned& groups, const Sharing& sharing, unsigned cpu) {
  if (sharing.count > 0 && sharing.first == cpu) ++groups;
}

template <class Each>
void for_each_online(const Fd& sys, Each each) {
  char buffer[4096];
  const auto list = read_word(sys, "devices/system/cpu/online", buffer);
  if (!list) return;
  for_each_range(*list, [&](unsigned first, unsigned last) {
    for (unsigned cpu = first; cpu <= last && cpu <= 8191; ++cpu) each(cpu);
  });
}

// Intel names its kinds of cores as performance-monitoring units, arm gives each CPU a capacity.
unsigned count_core_kinds(const Fd& sys) {
  char buffer[64];
  const bool core = read_word(sys, "devices/cpu_core/cpus", buffer).has_value();
  const bool atom = read_word(sys, "devices/cpu_atom/cpus", buffer).has_value();
  if (core && atom) return 2;
  unsigned seen[8], kinds = 0;
  for_each_online(sys, [&](unsigned cpu) {
    const auto text = read_word(sys, cpu_path(cpu, "cpu_capacity").c_str(), buffer);
    const auto capacity = text ? to_number<unsigned>(*text) : std::nullopt;
    if (!capacity || kinds == std::size(seen) || std::find(seen, seen + kinds, *capacity) != seen + kinds) return;
    seen[kinds++] = *capacity;
  });
  return std::max(1u, kinds);
}

void group_by_cache(const Fd& sys, Topology& topology) {
  topology.cache_group.fill(Topology::kNoGroup);
  if (topology.caches < 2) return;
  topology.cache_groups = std::min(topology.caches, kMaxCacheGroups);
  uint16_t number[kMaxGroupedCpus];  // of the cache whose first CPU this is
  unsigned next = 0;
  for_each_online(sys, [&](unsigned cpu) {
    if (cpu >= kMaxGroupedCpus) return;
    const Sharing sharing = last_cache(sys, cpu).sharing;
    if (sharing.count == 0 || sharing.first >= kMaxGroupedCpus || sharing.first > cpu) return;
    if (sharing.first == cpu) number[cpu] = static_cast<uint16_t>(next++);
    if (topology.cache_group[sharing.first] == Topology::kNoGroup && sharing.first != cpu) return;
    topology.cache_group[cpu] =
        static_cast<uint8_t>(number[sharing.first] * topology.cache_groups / std::max(1u, topology.caches));
  });
}

}  // namespace

Topology read_topology(const Fd& sys) {
  Topology topology;
  for_each_online(sys, [&](unsigned cpu) {
    ++topology.cpus;
    const Sharing threads = sharing_of(sys, cpu, "topology/thread_siblings_list");
    count_first(topology.cores, threads, cpu);
    topology.threads_per_core = std::max(topology.threads_per_core, threads.count);
    Sharing package = sharing_of(sys, cpu, "topology/package_cpus_list");
    if (package.count == 0) package = sharing_of(sys, cpu, "topology/core_siblings_list");
    count_first(topology.packages, package, cpu);
    count_first(topology.clusters, sharing_of(sys, cpu, "topology/cluster_cpus_list"), cpu);
    const Cache cache = last_cache(sys, cpu);
    count_first(topology.caches, cache.sharing, cpu);
    topology.cache_level = std::max(topology.cache_level, cache.level);
  });
  topology.cpus = std::max(1u, topology.cpus);
  topology.cores = topology.cores == 0 ? topology.cpus : topology.cores;
  topology.threads_per_core = std::max(1u, topology.threads_per_core);
  topology.packages = std::max(1u, topology.packages);
  if (topology.clusters == topology.cores) topology.clusters = 0;  // arm64 without a cpu-map: each CPU by itself
  topology.core_kinds = count_core_kinds(sys);
  topology.nodes = read_numa_nodes(sys);
  group_by_cache(sys, topology);
  return topology;
}

}  // namespace hosa
