#include "actuate/process_hold.h"

#include <signal.h>
#include <sys/syscall.h>

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

Result<int> idle_threads(Journal& journal, const Fd& proc, const ProcessRef& process, uint64_t deadline_ns) {
  auto tasks = open_directory(proc.get(), process_path(process.pid, "task").c_str());
  if (!tasks || !is_still(proc, process)) return make_error(ESRCH, "open threads");
  int changed = 0;
  DirectoryReader reader(tasks->get());
  while (const auto entry = reader.next()) {
    const auto tid = to_number<int>(entry->name);
    if (!tid) continue;
    const int policy = scheduling_policy(*tid);
    if (policy != kSchedOther && policy != kSchedBatch) continue;
    JournalEntry change = process_entry(EntryKind::thread_policy, process, *tid, deadline_ns);
    change.old_value.append_number(policy);
    change.ours.append_number(kSchedIdle);
    const auto index = journal.remember(change);
    if (!index) return index.error();
    if (set_scheduling_policy(*tid, kSchedIdle))
      ++changed;
    else
      journal.forget(*index);
  }
  return changed;
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
