// Who is never limited, moved, stopped or frozen (spec S3): found, not configured, each with its reason as text. What
// the operator adds with `protect` patterns is judged elsewhere; both must say no before anything is done.
//
// Judged is what a process runs (/proc/PID/exe: name, place and owner of the program file), its user and user
// namespace, and its arguments where one program plays several parts (busybox, shells, interpreters); never its comm,
// which any program may set. A program counts as what its file is called only if the file is root's, nobody else may
// write it, it lies where only root installs programs, and its process shares our user namespace: nobody but root can
// fake that.
//
// Two parts: judge() is cheap and answers from what is known (call it for everybody); judge_dearly() looks through the
// descriptors of a candidate before anything is done to it (10 us per descriptor, at most 4096).
#pragma once
#include "proprioception/cgroup_files.h"
#include "proprioception/process_names.h"
#include "proprioception/process_table.h"

namespace hosa {

struct Protection {
  const char* reason = nullptr;  // a literal such as "secure shell server"; nullptr: not protected
  explicit operator bool() const { return reason != nullptr; }
};

// own: hosa itself, its keeper and whoever else the caller answers for.
Protection judge(const ProcessInfo& process, const ProcessIdentity& identity, std::span<const int> own);

// Holders of a watchdog, of /dev/fuse, nbd, tcmu and userfaultfd descriptors: others, and we, would hang behind them.
// A descriptor list that cannot be read, or is longer than 4096, answers nothing.
Protection judge_dearly(const Fd& proc, int pid);
Protection judge_descriptor(std::string_view target);  // one link of /proc/PID/fd

// Processes that trace others (TracerPid of everybody in the list): a pass over all status files, 15 us each.
using Tracers = FixedVector<int, kMaxTracers>;
void find_tracers(const Fd& proc, const ProcessList& list, Tracers& tracers);

// Is anybody in this cgroup, or in one below it, protected? Asked before a cgroup is limited or frozen as a whole.
// Careful: if the question cannot be answered (threaded, too many, too deep), the answer is a reason, too.
struct Guard {
  const Fd& proc;
  ProcessNames& names;
  std::span<const int> own;
  bool may_wait = false;  // may command lines be read (calm)?
  bool dearly = false;    // also look through descriptors?
};
struct CgroupProtection {
  const char* reason = nullptr;
  int pid = 0;  // who it is; 0 when the question could not be answered
  explicit operator bool() const { return reason != nullptr; }
};
CgroupProtection cgroup_holds_protected(const Fd& cgroup, Guard guard);

}  // namespace hosa
