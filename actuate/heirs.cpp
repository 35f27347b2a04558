#include "actuate/heirs.h"

#include <algorithm>

#include "actuate/autogroup.h"
#include "actuate/process_hold.h"
#include "actuate/room.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/directory.h"
#include "proprioception/process.h"
#include "proprioception/process_status.h"

namespace hosa {

Heirs::Parent* Heirs::find(int pid) {
  for (Parent& parent : parents_) {
    if (parent.pid == pid) return &parent;
  }
  return nullptr;
}

void Heirs::note(const JournalEntry& entry) {
  if (entry.kind == EntryKind::autogroup)
    (void)sessions_.push_back({entry.tid, to_number<int>(entry.old_value.view()).value_or(0)});
  if (entry.kind != EntryKind::thread_policy && entry.kind != EntryKind::oom_score_adj) return;
  Parent* parent = find(entry.pid);
  if (parent == nullptr) {
    if (!parents_.push_back({entry.pid, entry.start_ticks})) return;
    parent = &parents_.back();
  }
  const int before = to_number<int>(entry.old_value.view()).value_or(0);
  if (entry.kind == EntryKind::thread_policy && is_idle(before))
    (void)idle_before_.push_back(entry.tid);
  else if (entry.kind == EntryKind::thread_policy)
    parent->idle = true, parent->policy = before & ~kResetOnFork;  // a child never has that flag
  else
    parent->oom = true, parent->oom_score_adj = before;
}

void Heirs::note_room(const Fd& cgroup) {
  const auto room = open_directory(cgroup.get(), kRoomName);
  if (!room) return;
  static PidList pids;
  pids.clear();
  (void)read_procs(*room, pids);
  for (const int pid : pids) roommates_.push_back(pid);
}

void Heirs::note_kin(std::span<const int> pids) {
  for (const int pid : pids) (void)roommates_.push_back(pid);
}

bool Heirs::give_back_threads(const Fd& proc, int pid, int policy) const {
  const auto tasks = open_directory(proc.get(), process_path(pid, "task").c_str());
  if (!tasks) return false;
  bool given = false;
  DirectoryReader reader(tasks->get());
  while (const auto entry = reader.next()) {
    const auto tid = to_number<int>(entry->name);
    if (!tid || std::find(idle_before_.begin(), idle_before_.end(), *tid) != idle_before_.end()) continue;
    if (is_idle(scheduling_policy(*tid)) && set_scheduling_policy(*tid, policy)) given = true;
  }
  return given;
}

bool Heirs::give_back_autogroup(const Fd& proc, int pid) const {
  if (sessions_.empty()) return false;
  const auto standing = read_autogroup(proc, pid);
  if (!standing || standing->nice != 19) return false;
  for (const Session& session : sessions_) {
    if (session.autogroup != standing->number || session.nice == 19) continue;
    FixedString<8> before;
    before.append_number(session.nice);
    return write_file(proc.get(), process_path(pid, "autogroup").c_str(), before.view()).has_value();
  }
  return false;
}

bool Heirs::give_back(const Fd& proc, int pid, const Parent& like) const {
  const bool regrouped = give_back_autogroup(proc, pid);
  const bool given = (like.idle && give_back_threads(proc, pid, like.policy)) || regrouped;
  if (!like.oom || read_oom_score_adj(proc, pid) != 1000) return given;
  FixedString<8> before;
  before.append_number(like.oom_score_adj);
  return write_file(proc.get(), process_path(pid, "oom_score_adj").c_str(), before.view()).has_value() || given;
}

int Heirs::restore_children(const Fd& proc) {
  int restored = 0;
  auto everybody = open_directory(proc.get(), ".");
  if (!everybody) return 0;
  DirectoryReader reader(everybody->get());
  while (const auto entry = reader.next()) {
    const auto pid = to_number<int>(entry->name);
    if (!pid || find(*pid) != nullptr) continue;
    const auto process = read_process(proc, *pid);
    const Parent* parent = process && !process->kernel_thread() ? find(process->parent) : nullptr;
    if (parent == nullptr) continue;
    Parent heir = *parent;
    heir.pid = *pid;
    if (give_back(proc, *pid, heir)) ++restored;
    parents_.push_back(heir);
  }
  return restored;
}

int Heirs::restore_roommates(const Fd& proc) {
  int restored = 0;
  Parent like;
  for (const Parent& parent : parents_) {  // what one of them had in each respect, all of them had
    if (parent.idle) like.idle = true, like.policy = parent.policy;
    if (parent.oom) like.oom = true, like.oom_score_adj = parent.oom_score_adj;
  }
  for (const int pid : roommates_) {
    if (find(pid) == nullptr && give_back(proc, pid, like)) ++restored;
  }
  return restored;
}

int Heirs::restore(const Fd& proc) {
  if (parents_.empty() && sessions_.empty()) return 0;
  int restored = 0;
  for (const Parent& parent : parents_) {  // their own threads, born since the last pass
    if (!parent.idle || !open_process(proc, {parent.pid, parent.start_ticks})) continue;
    restored += give_back_threads(proc, parent.pid, parent.policy) ? 1 : 0;
  }
  restored += restore_roommates(proc);
  for (int generation = 0; generation < 3; ++generation) {
    const int now = restore_children(proc);
    restored += now;
    if (now == 0) break;
  }
  return restored;
}

}  // namespace hosa
