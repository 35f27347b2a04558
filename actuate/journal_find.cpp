// Looking for entries without copying them out.
#include "actuate/journal.h"

namespace hosa {

namespace layout = journal_layout;

int Journal::held_count() const {
  int count = 0;
  for (int i = 0; i < layout::kEntries; ++i) count += state(i) != EntryState::free ? 1 : 0;
  return count;
}

int Journal::find(EntryKind kind, CgroupFile file, uint64_t cgroup_id) const {
  for (int i = 0; i < layout::kEntries; ++i) {
    const layout::Entry& e = file_->entries[i];
    if (state(i) != EntryState::free && e.kind == static_cast<uint8_t>(kind) && e.file == static_cast<uint8_t>(file) &&
        e.cgroup_id == cgroup_id)
      return i;
  }
  return -1;
}

int Journal::find_process(EntryKind kind, int pid, int tid, uint64_t start_ticks) const {
  for (int i = 0; i < layout::kEntries; ++i) {
    const layout::Entry& e = file_->entries[i];
    if (state(i) != EntryState::free && e.kind == static_cast<uint8_t>(kind) && e.pid == pid && e.tid == tid &&
        e.start_ticks == start_ticks)
      return i;
  }
  return -1;
}

bool Journal::is_of(int index, EntryKind kind, int tid) const {
  if (state(index) == EntryState::free) return false;
  const layout::Entry& e = file_->entries[index];
  return e.kind == static_cast<uint8_t>(kind) && e.tid == tid;
}

bool Journal::is_expired(int index, uint64_t boottime_ns) const {
  if (state(index) == EntryState::free) return false;
  const uint64_t deadline_ns = __atomic_load_n(&file_->entries[index].deadline_ns, __ATOMIC_ACQUIRE);
  return deadline_ns != 0 && deadline_ns <= boottime_ns;
}

int Journal::forget_process(int pid, uint64_t start_ticks) {
  int count = 0;
  for (int i = 0; i < layout::kEntries; ++i) {
    const layout::Entry& e = file_->entries[i];
    if (state(i) == EntryState::free || e.pid != pid || e.start_ticks != start_ticks) continue;
    forget(i);
    ++count;
  }
  return count;
}

std::size_t Journal::list_threads(EntryKind kind, int pid, uint64_t start_ticks, std::span<int> tids) const {
  std::size_t count = 0;
  for (int i = 0; i < layout::kEntries && count < tids.size(); ++i) {
    const layout::Entry& e = file_->entries[i];
    if (state(i) != EntryState::free && e.kind == static_cast<uint8_t>(kind) && e.pid == pid &&
        e.start_ticks == start_ticks)
      tids[count++] = e.tid;
  }
  return count;
}

}  // namespace hosa
