#include "actuate/journal.h"

namespace hosa {

const char* file_name(CgroupFile file) {
  switch (file) {
    case CgroupFile::none: return "";
    case CgroupFile::memory_high: return "memory.high";
    case CgroupFile::memory_swap_max: return "memory.swap.max";
    case CgroupFile::pids_max: return "pids.max";
    case CgroupFile::cpu_weight: return "cpu.weight";
    case CgroupFile::cpu_max: return "cpu.max";
    case CgroupFile::io_weight: return "io.weight";
    case CgroupFile::io_max: return "io.max";
    case CgroupFile::cgroup_freeze: return "cgroup.freeze";
    case CgroupFile::subtree_control: return "cgroup.subtree_control";
    case CgroupFile::cpu_shares: return "cpu.shares";
  }
  return "";
}

const char* entry_kind_name(EntryKind kind) {
  switch (kind) {
    case EntryKind::limit_file: return "limit";
    case EntryKind::room: return "room";
    case EntryKind::thread_policy: return "thread policy";
    case EntryKind::oom_score_adj: return "oom_score_adj";
    case EntryKind::stopped: return "stopped";
    case EntryKind::controller: return "controller";
    case EntryKind::freeze_in_place: return "freeze";
    case EntryKind::autogroup: return "autogroup";
    case EntryKind::khugepaged: return "khugepaged";
    case EntryKind::page_lists: return "page lists";
    case EntryKind::preemption: return "preemption";
  }
  return "";
}

}  // namespace hosa
