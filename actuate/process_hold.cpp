#include "actuate/process_hold.h"

#include <signal.h>
#include <sys/syscall.h>

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/directory.h"
#include "proprioception/process.h"
#include "proprioception/process_status.h"

namespace hosa {
namespace {

constexpr int kSchedOther = 0, kSchedBatch = 3;

bool is_still(const Fd& proc, const ProcessRef& process) {
  const auto now = read_process(proc, process.pid);
  return now && now->start_ticks == process.start_ticks;
}

JournalEntry process_entry(EntryKind kind, const ProcessRef& process, int tid, uint64_t deadline_ns) {
  JournalEntry entry;
  entry.kind = kind;
  entry.pid = process.pid;
  entry.tid = tid;
  entry.start_ticks = process.start_ticks;
  entry.deadline_ns = deadline_ns;
  return entry;
}

Result<int> remember_policy(Journal& journal, const ProcessRef& process, int tid, int before, uint64_t deadline_ns) {
  JournalEntry change = process_entry(EntryKind::thread_policy, process, tid, deadline_ns);
  change.old_value.append_number(before);
  change.ours.append_number(kSchedIdle);
  return journal.remember(change);
}

// What an idle thread of a held process, or an idle child of it, had if it was born under the hold: what the first
// journalled thread that was not idle itself had. -1: nothing is held of it.
int policy_before(const Journal& journal, const ProcessRef& process) {
  int tids[64];  // one of them will do
  const std::size_t count = journal.list_threads(EntryKind::thread_policy, process.pid, process.start_ticks, tids);
  for (std::size_t i = 0; i < count; ++i) {
    const auto entry =
        journal.read(journal.find_process(EntryKind::thread_policy, process.pid, tids[i], process.start_ticks));
    const auto before = entry ? to_number<int>(entry->old_value.view()) : std::nullopt;
    if (before && !is_idle(*before)) return *before & ~kResetOnFork;
  }
  return -1;
}

int policy_of_parent(const Journal& journal, const Fd& proc, int parent) {
  const auto process = read_process(proc, parent);
  return process ? policy_before(journal, {parent, process->start_ticks}) : -1;
}

// One pass over the threads of a process.
struct IdlePass {
  Journal& journal;
  const ProcessRef& process;
  uint64_t deadline_ns;
  int changed = 0;
  int inherited = -1;           // what a thread born under the hold had; -1: there are no such threads
  std::size_t known_count = 0;  // threads in the journal
  int known[journal_layout::kEntries] = {};
};

bool is_known(const IdlePass& pass, int tid) {
  return std::find(pass.known, pass.known + pass.known_count, tid) != pass.known + pass.known_count;
}

// Before the first change: threads that chose to be idle beside others that did not are journalled as they are, so that
// they are not taken for heirs later. A process that is idle as a whole is left to its parent's history.
void note_idle_before(IdlePass& pass, int tasks) {
  int idle[journal_layout::kEntries];
  std::size_t count = 0;
  bool others = false;
  DirectoryReader reader(tasks);
  while (const auto entry = reader.next()) {
    const auto tid = to_number<int>(entry->name);
    if (!tid) continue;
    const int policy = scheduling_policy(*tid);
    if (is_idle(policy) && count < std::size(idle)) idle[count++] = *tid;
    others = others || (policy >= 0 && !is_idle(policy));
  }
  for (std::size_t i = 0; others && i < count; ++i) {
    if (remember_policy(pass.journal, pass.process, idle[i], kSchedIdle, pass.deadline_ns))
      pass.known[pass.known_count++] = idle[i];
  }
}

Result<void> idle_one(IdlePass& pass, int tid) {
  const int policy = scheduling_policy(tid);
  if (is_idle(policy)) {
    if (pass.inherited < 0 || is_known(pass, tid)) return {};
    const auto heir = remember_policy(pass.journal, pass.process, tid, pass.inherited, pass.deadline_ns);
    return heir ? Result<void>{} : heir.error();
  }
  const int plain = policy & ~kResetOnFork;
  if (policy < 0 || (plain != kSchedOther && plain != kSchedBatch)) return {};
  const auto index = remember_policy(pass.journal, pass.process, tid, policy, pass.deadline_ns);
  if (!index) return index.error();
  if (!set_scheduling_policy(tid, kSchedIdle | (policy & kResetOnFork))) {
    pass.journal.forget(*index);
    return {};
  }
  ++pass.changed;
  if (pass.inherited < 0) pass.inherited = plain;  // whoever this thread makes from now on is born idle
  return {};
}

bool send_signal(const Fd& pidfd, int signal) {
  return ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

}  // namespace

// musl's sched_setscheduler answers ENOSYS on purpose (POSIX means processes, Linux threads), so the calls are made
// raw.
int scheduling_policy(int tid) {
  return static_cast<int>(::syscall(SYS_sched_getscheduler, tid));
}
bool set_scheduling_policy(int tid, int policy) {
  const int priority = 0;  // struct sched_param has this one member
  return ::syscall(SYS_sched_setscheduler, tid, policy, &priority) == 0;
}

Result<Fd> open_process(const Fd& proc, const ProcessRef& process) {
  Fd fd(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  if (!fd) return errno_error("open process");
  if (!is_still(proc, process)) return make_error(ESRCH, "open process");
  return fd;
}

Result<int> idle_threads(Journal& journal, const Fd& proc, const ProcessRef& process, uint64_t deadline_ns,
                         int threads) {
  if (threads == 1 && !is_idle(scheduling_policy(process.pid)) &&
      journal.find_process(EntryKind::thread_policy, process.pid, process.pid, process.start_ticks) < 0) {
    if (!is_still(proc, process)) return make_error(ESRCH, "make idle");
    IdlePass alone{journal, process, deadline_ns};
    const auto done = idle_one(alone, process.pid);
    return done ? Result<int>(alone.changed) : Result<int>(done.error());
  }
  auto tasks = open_directory(proc.get(), process_path(process.pid, "task").c_str());
  if (!tasks || !is_still(proc, process)) return make_error(ESRCH, "open threads");
  IdlePass pass{journal, process, deadline_ns};
  pass.known_count = journal.list_threads(EntryKind::thread_policy, process.pid, process.start_ticks, pass.known);
  pass.inherited = policy_before(journal, process);
  if (pass.known_count == 0) {
    note_idle_before(pass, tasks->get());
    if (const auto now = read_process(proc, process.pid)) pass.inherited = policy_of_parent(journal, proc, now->parent);
  }
  DirectoryReader reader(tasks->get());
  while (const auto entry = reader.next()) {
    const auto tid = to_number<int>(entry->name);
    if (!tid) continue;
    if (const auto done = idle_one(pass, *tid); !done) return done.error();
  }
  return pass.changed;
}

Result<bool> idle_just_seen(Journal& journal, const ProcessInfo& seen, uint64_t deadline_ns) {
  if (is_idle(scheduling_policy(seen.pid))) return false;
  IdlePass alone{journal, {seen.pid, seen.start_ticks}, deadline_ns};
  const auto done = idle_one(alone, seen.pid);
  return done ? Result<bool>(alone.changed > 0) : Result<bool>(done.error());
}

bool is_idled(const Journal& journal, const ProcessRef& process) {
  return is_idle(scheduling_policy(process.pid)) &&
         journal.find_process(EntryKind::thread_policy, process.pid, process.pid, process.start_ticks) >= 0;
}

Result<bool> offer_to_oom(Journal& journal, const Fd& proc, const ProcessRef& process, uint64_t deadline_ns) {
  if (journal.find_process(EntryKind::oom_score_adj, process.pid, 0, process.start_ticks) >= 0) return false;
  const auto standing = read_oom_score_adj(proc, process.pid);
  if (!standing || !is_still(proc, process)) return make_error(ESRCH, "read oom_score_adj");
  if (*standing >= 1000) return false;
  JournalEntry change = process_entry(EntryKind::oom_score_adj, process, 0, deadline_ns);
  change.old_value.append_number(*standing);
  change.ours = kOomVictim;
  const auto index = journal.remember(change);
  if (!index) return index.error();
  const auto put = write_file(proc.get(), process_path(process.pid, "oom_score_adj").c_str(), kOomVictim);
  if (put) return true;
  journal.forget(*index);
  return put.error();
}

Result<bool> stop_process(Journal& journal, const Fd& proc, const ProcessRef& process, uint64_t deadline_ns) {
  if (journal.find_process(EntryKind::stopped, process.pid, 0, process.start_ticks) >= 0) return false;
  const auto now = read_process(proc, process.pid);
  if (!now || now->start_ticks != process.start_ticks) return make_error(ESRCH, "stop process");
  if (now->stopped()) return false;
  auto pidfd = open_process(proc, process);
  if (!pidfd) return pidfd.error();
  const auto index = journal.remember(process_entry(EntryKind::stopped, process, 0, deadline_ns));
  if (!index) return index.error();
  if (send_signal(*pidfd, SIGSTOP)) return true;
  const Error error = errno_error("stop process");
  journal.forget(*index);
  return error;
}

void continue_process(Journal& journal, const Fd& proc, const ProcessRef& process) {
  const int index = journal.find_process(EntryKind::stopped, process.pid, 0, process.start_ticks);
  if (index < 0) return;
  if (const auto pidfd = open_process(proc, process)) (void)send_signal(*pidfd, SIGCONT);
  journal.forget(index);
}

}  // namespace hosa
