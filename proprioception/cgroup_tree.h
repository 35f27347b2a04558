// The cgroup tree as it is now, in one flat table: who there is, who holds processes, what each uses itself. Walked at
// the onset of an episode and once a second while it lasts (culprits are found by change since onset); the suspects are
// then followed by a CgroupMeter each.
//
// The hold room `hosa.hold` (the child cgroup in which the growing processes of its parent are frozen) is not listed:
// what is in it counts as its parent's. The kernel's numbers are hierarchical, so the parent's contain the room's
// already.
#pragma once
#include "proprioception/cgroup_usage.h"

namespace hosa {

constexpr std::string_view kHoldRoomName = "hosa.hold";

struct Cgroup {
  uint64_t id = 0;                     // st_ino of the directory = the kernel's cgroup id (bpf_get_current_cgroup_id)
  uint64_t room_id = 0;                // id of its hold room; 0: none
  FixedString<kCgroupPathBytes> path;  // from the v2 root: "/" or "/system.slice/x.service", as in /proc/PID/cgroup
  int parent = 0;                      // index in the table, always smaller than one's own; -1: this is the root
  int depth = 0;
  bool has_processes = false;  // of its own or in its hold room, not below it
  bool threaded = false;       // cgroup.procs cannot be read there (EOPNOTSUPP): no hold room, no moving in
  CgroupUsage usage;           // hierarchical
  // Its own share = its numbers less those of its listed children. The root has no memory.current: its own memory is
  // known only as far as it lives in a hold room with memory files of its own.
  uint64_t own_undroppable_bytes = 0;
  uint64_t own_cpu_usec = 0;
  uint64_t own_pids = 0;
};

struct CgroupTree {
  FixedVector<Cgroup, kMaxCgroups> items;  // parents before children; items[0] is the root
  bool cut = false;                        // true: more than 512, or deeper than 16; what is above is listed

  const Cgroup* find(uint64_t id) const;  // also by the id of a hold room
  const Cgroup* find(std::string_view path) const;
  // Index of the cgroup a process with this /proc/PID/cgroup path belongs to: ".../hosa.hold" is its parent's. -1:
  // none.
  int index_of(std::string_view path) const;
};

enum class WalkDetail : unsigned char { structure, usage };

// Walks from the open v2 root; what vanishes meanwhile is skipped. An error only if the root itself cannot be read.
// 330 KB: the caller keeps one tree and walks into it again. All bits zero when new, so that a static tree costs no
// byte of the program file.
Result<void> walk_cgroups(const Fd& root, WalkDetail detail, CgroupTree& tree);

// Opens the cgroup that was judged: by its path, verified by its id (ESTALE if another one has taken the path since).
// Paths with ".." are refused.
Result<Fd> open_cgroup(const Fd& root, std::string_view path, uint64_t id);
Result<uint64_t> cgroup_id(const Fd& cgroup);

}  // namespace hosa
