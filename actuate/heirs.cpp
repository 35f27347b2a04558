#include "actuate/heirs.h"

#include "actuate/process_hold.h"
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
  if (entry.kind != EntryKind::thread_policy && entry.kind != EntryKind::oom_score_adj) return;
  Parent* parent = find(entry.pid);
  if (parent == nullptr) {
    if (!parents_.push_back({entry.pid})) return;
    parent = &parents_.back();
  }
  const int before = to_number<int>(entry.old_value.view()).value_or(0);
  if (entry.kind == EntryKind::thread_policy)
    parent->idle = true, parent->policy = before;
  else
    parent->oom = true, parent->oom_score_adj = before;
}

int Heirs::restore_children(const Fd& proc) {
  int restored = 0;
  auto everybody = open_directory(proc.get(), ".");
  if (!everybody) return 0;
  DirectoryReader reader(everybody->get());
  while (const auto entry = reader.next()) {
    const auto pid = to_number<int>(entry->name);
    if (!pid) continue;
    const auto process = read_process(proc, *pid);
    const Parent* parent = process && !process->kernel_thread() ? find(process->parent) : nullptr;
    if (parent == nullptr || find(*pid) != nullptr) continue;
    const Parent heir = [&] {
      Parent copy = *parent;
      copy.pid = *pid;
      return copy;
    }();
    if (heir.idle && scheduling_policy(*pid) == kSchedIdle && set_scheduling_policy(*pid, heir.policy)) ++restored;
    if (heir.oom && read_oom_score_adj(proc, *pid) == 1000) {
      FixedString<8> before;
      before.append_number(heir.oom_score_adj);
      if (write_file(proc.get(), process_path(*pid, "oom_score_adj").c_str(), before.view())) ++restored;
    }
    parents_.push_back(heir);
  }
  return restored;
}

int Heirs::restore(const Fd& proc) {
  if (parents_.empty()) return 0;
  int restored = 0;
  for (int generation = 0; generation < 3; ++generation) {
    const int now = restore_children(proc);
    restored += now;
    if (now == 0) break;
  }
  return restored;
}

}  // namespace hosa
