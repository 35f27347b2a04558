// Single facts about one cgroup: its events, its room below a memory.max, its controllers, its processes. `cgroup` is
// an open directory; a missing file answers nothing (that controller is not there), never a guess.
#pragma once
#include "proprioception/cgroup_tree.h"

namespace hosa {

// memory.events, counters since the cgroup was made, hierarchical.
struct MemoryEvents {
  uint64_t high = 0;      // times memory.high was met; also by file cache
  uint64_t max = 0;       // times memory.max was met
  uint64_t oom_kill = 0;  // processes killed by the OOM killer
};
MemoryEvents parse_memory_events(std::string_view text);
std::optional<MemoryEvents> read_memory_events(const Fd& cgroup);

// A limit file such as memory.max or pids.max: a number, or "max" = no limit, which is UINT64_MAX here.
std::optional<uint64_t> parse_limit(std::string_view text);
std::optional<uint64_t> read_limit(const Fd& cgroup, const char* file);

// How many more undroppable bytes fit below the tightest memory.max of this cgroup and its ancestors. Page cache does
// not count: it is reclaimed before anything is killed (a cgroup that reads files sits at its limit all day).
struct Headroom {
  uint64_t bytes = UINT64_MAX;  // UINT64_MAX: no limit anywhere
  uint64_t limit_bytes = UINT64_MAX;
  FixedString<kCgroupPathBytes> path;  // whose limit it is; the cgroup's own path: only the unit itself can be hurt
};
Headroom memory_headroom(const Fd& root, std::string_view path);

struct Controllers {
  bool cpu = false, io = false, memory = false, pids = false;
};
Controllers parse_controllers(std::string_view text);
// What the cgroup has (cgroup.controllers) and what it hands to its children (cgroup.subtree_control).
Controllers read_controllers(const Fd& cgroup);
Controllers read_subtree_control(const Fd& cgroup);

using PidList = FixedVector<int, kMaxProcsPerCgroup>;
// The process ids in cgroup.procs. Entries "0" belong to another pid namespace and are left out. EOPNOTSUPP: threaded;
// E2BIG: more than the list holds (the list is full then).
Result<void> read_procs(const Fd& cgroup, PidList& pids);

// cgroup.events: anybody alive in it or below, and is it frozen (as a whole; frozen only when all tasks have stopped).
struct CgroupState {
  bool populated = false, frozen = false;
};
std::optional<CgroupState> read_cgroup_state(const Fd& cgroup);

}  // namespace hosa
