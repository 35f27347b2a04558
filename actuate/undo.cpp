#include "actuate/undo.h"

#include <algorithm>

#include "actuate/autogroup.h"
#include "actuate/controllers.h"
#include "actuate/heirs.h"
#include "actuate/kernel_setting.h"
#include "actuate/limit.h"
#include "actuate/process_hold.h"
#include "actuate/room.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/process.h"
#include "proprioception/process_status.h"

namespace hosa {
namespace {

Undone undo_file(const JournalEntry& entry, const Fd& cgroup) {
  const CgroupFile file = entry.kind == EntryKind::freeze_in_place ? CgroupFile::cgroup_freeze : entry.file;
  const auto standing = read_value(cgroup, file);
  if (!standing) return Undone::gone;  // the controller was taken away, and the limit with it
  switch (owner_of(entry, standing->view())) {
    case Owner::before_us: return Undone::already;
    case Owner::somebody: return Undone::somebodys;
    case Owner::ours: break;
  }
  return write_value(cgroup, file, entry.old_value.view()) ? Undone::restored : Undone::failed;
}

Undone undo_cgroup(const JournalEntry& entry, const Roots& roots) {
  const Fd* const root = entry.file == CgroupFile::cpu_shares ? roots.cpu_v1 : roots.cgroup;
  if (root == nullptr) return Undone::failed;
  const auto cgroup = open_cgroup(*root, entry.path.view(), entry.cgroup_id);
  if (!cgroup) return Undone::gone;
  if (entry.kind == EntryKind::room) return close_room(*cgroup) ? Undone::restored : Undone::failed;
  if (entry.kind == EntryKind::controller) return switch_off(*cgroup, entry.old_value.view());
  return undo_file(entry, *cgroup);
}

Undone undo_policy(const JournalEntry& entry, const Fd& proc) {
  // A thread of that process still? Thread ids are used again, by anybody.
  FixedString<64> thread = process_path(entry.pid, "task/");
  thread.append_number(entry.tid);
  if (::faccessat(proc.get(), thread.c_str(), F_OK, 0) != 0) return Undone::gone;
  const auto policy = to_number<int>(entry.old_value.view());
  const int standing = scheduling_policy(entry.tid);
  if (standing < 0 || !policy) return Undone::gone;
  if (standing == *policy) return Undone::already;
  if (!is_idle(standing)) return Undone::somebodys;
  return set_scheduling_policy(entry.tid, *policy) ? Undone::restored : Undone::failed;
}

Undone undo_oom_score(const JournalEntry& entry, const Fd& proc) {
  const auto standing = read_oom_score_adj(proc, entry.pid);
  const auto before = to_number<int>(entry.old_value.view());
  if (!standing || !before) return Undone::gone;
  if (*standing == *before) return Undone::already;
  if (*standing != 1000) return Undone::somebodys;
  const auto put = write_file(proc.get(), process_path(entry.pid, "oom_score_adj").c_str(), entry.old_value.view());
  return put ? Undone::restored : Undone::failed;
}

Undone undo_autogroup(const JournalEntry& entry, const Fd& proc) {
  const auto standing = read_autogroup(proc, entry.pid);
  const auto before = to_number<int>(entry.old_value.view());
  if (!standing || !before || standing->number != entry.tid) return Undone::gone;  // it is in another session now
  if (standing->nice == *before) return Undone::already;
  if (standing->nice != 19) return Undone::somebodys;
  const auto put = write_file(proc.get(), process_path(entry.pid, "autogroup").c_str(), entry.old_value.view());
  return put ? Undone::restored : Undone::failed;
}

Undone undo_process(Journal& journal, const JournalEntry& entry, const Roots& roots) {
  const ProcessRef process{entry.pid, entry.start_ticks};
  if (!open_process(*roots.proc, process)) return Undone::gone;
  switch (entry.kind) {
    case EntryKind::thread_policy: return undo_policy(entry, *roots.proc);
    case EntryKind::oom_score_adj: return undo_oom_score(entry, *roots.proc);
    case EntryKind::autogroup: return undo_autogroup(entry, *roots.proc);
    case EntryKind::stopped: continue_process(journal, *roots.proc, process); return Undone::restored;
    default: return Undone::failed;
  }
}

Undone undo_setting(const JournalEntry& entry, const KernelSetting& setting) {
  const auto standing = read_setting(setting);
  if (!standing) return Undone::gone;
  if (standing->view() == entry.old_value.view()) return Undone::already;
  if (standing->view() != entry.ours.view()) return Undone::somebodys;
  return write_setting(setting, entry.old_value.view()) ? Undone::restored : Undone::failed;
}

Undone undo_one(Journal& journal, const JournalEntry& entry, const Roots& roots) {
  if (const KernelSetting* const setting = kernel_setting(entry.kind)) return undo_setting(entry, *setting);
  return entry.pid > 0 ? undo_process(journal, entry, roots) : undo_cgroup(entry, roots);
}

constexpr int kLastRank = 6;

// Who must be undone before whom. What the held inherit to children goes first, while they cannot run: thawed before, a
// relay's thirty took the CPU from the keeper that gave back to one after the other (6.1, one CPU: 0.6-2.1 s after the
// agent's death until the last had its policy again). To make a kernel less preemptible takes 80 ms of that.
int rank(EntryKind kind) {
  switch (kind) {
    case EntryKind::thread_policy:
    case EntryKind::oom_score_adj:
    case EntryKind::autogroup: return 0;
    case EntryKind::stopped:
    case EntryKind::freeze_in_place: return 1;
    case EntryKind::room: return 2;
    case EntryKind::limit_file: return 3;
    case EntryKind::khugepaged:
    case EntryKind::page_lists: return 4;
    case EntryKind::controller: return 5;
    case EntryKind::preemption: return kLastRank;
  }
  return kLastRank;
}

void settle(Journal& journal, int index, Undone outcome, bool keep_returned) {
  if (outcome == Undone::failed) return;
  if (keep_returned)
    journal.mark_returned(index);
  else
    journal.forget(index);
}

void note_roommates(Heirs& heirs, const JournalEntry& entry, const Roots& roots) {
  if (entry.kind != EntryKind::room || roots.cgroup == nullptr) return;
  const auto cgroup = open_cgroup(*roots.cgroup, entry.path.view(), entry.cgroup_id);
  if (cgroup) heirs.note_room(*cgroup);
}

}  // namespace

const char* undone_name(Undone outcome) {
  constexpr const char* kNames[] = {"restored", "already as before", "changed by somebody else: left", "gone", "kept",
                                    "failed"};
  return kNames[static_cast<int>(outcome)];
}

int UndoReport::total() const {
  int sum = 0;
  for (const int n : count) sum += n;
  return sum;
}

Undone undo_entry(Journal& journal, int index, const Roots& roots) {
  const auto entry = journal.read(index);
  if (!entry) return Undone::gone;
  const Undone outcome = undo_one(journal, *entry, roots);
  settle(journal, index, outcome, false);
  return outcome;
}

int undo_kind(Journal& journal, EntryKind kind, const Roots& roots) {
  int count = 0;
  for (int i = Journal::capacity() - 1; i >= 0; --i) {
    const auto entry = journal.read(i);
    if (!entry || entry->kind != kind) continue;
    (void)undo_entry(journal, i, roots);
    ++count;
  }
  return count;
}

UndoReport undo_all(Journal& journal, const Roots& roots, bool keep_returned) {
  UndoReport report;
  Heirs heirs;
  int ranks[journal_layout::kEntries];
  for (int i = 0; i < Journal::capacity(); ++i) {
    const auto entry = journal.read(i);
    ranks[i] = entry ? rank(entry->kind) : -1;
    if (entry) heirs.note(*entry), note_roommates(heirs, *entry, roots);
  }
  for (int turn = 0; turn <= kLastRank; ++turn) {
    for (int i = Journal::capacity() - 1; i >= 0; --i) {  // newest first: a controller goes off below before above
      const auto entry = ranks[i] == turn ? journal.read(i) : std::nullopt;
      if (!entry) continue;
      note_roommates(heirs, *entry, roots);
      const Undone outcome = undo_one(journal, *entry, roots);
      ++report.count[static_cast<int>(outcome)];
      settle(journal, i, outcome, keep_returned);
    }
    if (turn == 0) heirs.restore_roommates(*roots.proc);
  }
  heirs.restore(*roots.proc);
  return report;
}

int undo_processes(Journal& journal, const Roots& roots, std::span<const ProcessRef> processes, const Fd& cgroup,
                   std::span<const int> kin) {
  Heirs heirs;
  heirs.note_kin(kin);
  if (cgroup) heirs.note_room(cgroup);
  int restored = 0;
  for (int i = 0; i < Journal::capacity(); ++i) {
    const auto entry = journal.read(i);
    if (!entry || entry->pid == 0 || entry->kind == EntryKind::stopped) continue;
    const auto is_it = [&](const ProcessRef& p) { return p.pid == entry->pid && p.start_ticks == entry->start_ticks; };
    if (std::none_of(processes.begin(), processes.end(), is_it)) continue;
    heirs.note(*entry);
    restored += undo_entry(journal, i, roots) == Undone::restored ? 1 : 0;
  }
  return restored + heirs.restore(*roots.proc);
}

UndoReport undo_expired(Journal& journal, const Roots& roots, uint64_t boottime_ns) {
  UndoReport report;
  for (int i = 0; i < Journal::capacity(); ++i) {
    // The keeper asks twice a second: 90 entries of a held relay, copied and checked, were 2.5 ms on a 125 MIPS board.
    if (!journal.is_expired(i, boottime_ns)) continue;
    const auto entry = journal.read(i);
    if (!entry) continue;
    const Undone outcome = undo_one(journal, *entry, roots);
    ++report.count[static_cast<int>(outcome)];
    settle(journal, i, outcome, entry->state == EntryState::armed);  // the second time it is forgotten
  }
  return report;
}

void accept_give_back(Journal& journal, const Roots& roots) {
  for (int i = 0; i < Journal::capacity(); ++i) {
    if (journal.state(i) != EntryState::returned) continue;
    (void)undo_entry(journal, i, roots);
  }
  journal.acknowledge_give_back();
}

}  // namespace hosa
