// One pass over /proc: every process with its stat and statm. 13 us a process (Linux 6.18: 72 processes in 0.94 ms), so
// once at onset and at most once a second in an episode; suspects are followed by a ProcessMeter each.
#pragma once
#include "proprioception/capacity.h"
#include "proprioception/process.h"

namespace hosa {

using ProcessList = FixedVector<ProcessInfo, kMaxProcesses>;  // 0.85 MB: kept by the caller, filled again

struct ProcessPass {
  bool complete = true;     // false: there are more than the list holds
  unsigned vanished = 0;    // went away between directory and file
  unsigned unreadable = 0;  // their stat was no stat
};

// Kernel threads that a pass has met: the next passes leave them out unread (a Pi has 150 of them beside 60 processes).
// Pids are used again, so the owner empties it now and then.
using KernelThreads = FixedVector<int, 1024>;

// Fills the list, ascending by pid; with `known`, without the kernel threads in it; `earlier` as in read_process. An
// error only if /proc itself cannot be read.
Result<ProcessPass> read_processes(const Fd& proc, ProcessList& list, KernelThreads* known = nullptr,
                                   std::span<const ProcessSizes> earlier = {});

// The process of this pid, and of this start time unless it is 0. nullptr: not in the list.
const ProcessInfo* find_process(const ProcessList& list, int pid, uint64_t start_ticks = 0);

}  // namespace hosa
