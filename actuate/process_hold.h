// Per-process means, for boards without the controllers and for units that hold protected processes (spec 7):
// SCHED_IDLE on every thread, oom_score_adj, SIGSTOP. Each change is journalled by pid, start time and, for threads,
// tid; each undo checks that it is still that process (pidfd + start time, S5) and that our value still stands (S4).
#pragma once
#include <span>

#include "actuate/journal.h"
#include "loader/sys/fd.h"
#include "proprioception/process.h"

namespace hosa {

inline constexpr int kSchedIdle = 5;             // SCHED_IDLE, include/uapi/linux/sched.h
inline constexpr int kResetOnFork = 0x40000000;  // SCHED_RESET_ON_FORK, a flag in what the calls take and answer
inline constexpr std::string_view kOomVictim = "1000";

struct ProcessRef {
  int pid = 0;
  uint64_t start_ticks = 0;
};

// Every thread of the process that is SCHED_OTHER or SCHED_BATCH becomes SCHED_IDLE; real-time threads are left alone.
// Answers how many changed now: called again, it takes the threads that are new. A thread or process that was born idle
// under our hold is journalled with what its process or parent had before; one that was idle before us stays so.
// ESRCH: the process has gone.
// `threads`, if it was read a moment ago: one that is alone and not idle costs two texts (it is still that process)
// instead of eight, which counts in a storm of forks.
Result<int> idle_threads(Journal& journal, const Fd& proc, const ProcessRef& process, uint64_t deadline_ns,
                         int threads = 0);
// The same for a process of one thread whose stat was read a moment ago, by two system calls: in a storm of forks each
// millisecond makes more of them. False: it was idle already (who is born of an idle parent is), or real-time.
Result<bool> idle_just_seen(Journal& journal, const ProcessInfo& seen, uint64_t deadline_ns);
// Its main thread is SCHED_IDLE and in the journal. One system call, where idle_threads reads eight texts.
bool is_idled(const Journal& journal, const ProcessRef& process);

// oom_score_adj = 1000: should it come to the kernel, the right one goes. True if it was changed.
Result<bool> offer_to_oom(Journal& journal, const Fd& proc, const ProcessRef& process, uint64_t deadline_ns);

// SIGSTOP, unless it is stopped already (then it stays the operator's). True if it was stopped by us.
Result<bool> stop_process(Journal& journal, const Fd& proc, const ProcessRef& process, uint64_t deadline_ns);
// SIGCONT; the entry is forgotten.
void continue_process(Journal& journal, const Fd& proc, const ProcessRef& process);

// A pidfd of exactly that process.
Result<Fd> open_process(const Fd& proc, const ProcessRef& process);
int scheduling_policy(int tid);  // with kResetOnFork where that is set; -1: gone
constexpr bool is_idle(int policy) {
  return policy >= 0 && (policy & ~kResetOnFork) == kSchedIdle;
}
bool set_scheduling_policy(int tid, int policy);

}  // namespace hosa
