#include "actuate/journal.h"

#include "actuate/journal_bytes.h"

namespace hosa {

namespace layout = journal_layout;

namespace {

bool in_range(int index) {
  return index >= 0 && index < layout::kEntries;
}

}  // namespace

int Journal::find_free() const {
  const int from = keeper_side_ ? layout::kAgentEntries : 0;
  const int to = keeper_side_ ? layout::kEntries : layout::kAgentEntries;
  for (int i = from; i < to; ++i) {
    if (__atomic_load_n(&file_->states[i], __ATOMIC_ACQUIRE) == static_cast<uint32_t>(EntryState::free)) return i;
  }
  return -1;
}

// The slot that holds this path already, or one of this side's that no entry refers to.
Result<int> Journal::place_path(std::string_view path, uint64_t cgroup_id) {
  if (path.size() >= layout::kPathBytes) return make_error(E2BIG, "journal cgroup", path);
  bool used[layout::kPaths] = {};
  for (int i = 0; i < layout::kEntries; ++i) {
    if (state(i) == EntryState::free) continue;
    const int at = file_->entries[i].path_index;
    if (at >= 0 && at < layout::kPaths) used[at] = true;
  }
  const int from = keeper_side_ ? layout::kAgentPaths : 0;
  const int to = keeper_side_ ? layout::kPaths : layout::kAgentPaths;
  int vacant = -1;
  for (int i = from; i < to; ++i) {
    const layout::Path& slot = file_->paths[i];
    const auto text = layout::get_text(slot.text);
    if (used[i] && slot.cgroup_id == cgroup_id && text && *text == path) return i;
    if (!used[i] && vacant < 0) vacant = i;
  }
  if (vacant < 0) return make_error(ENOSPC, "journal cgroup", path);
  layout::Path& slot = file_->paths[vacant];
  slot.cgroup_id = cgroup_id;
  layout::put_text(slot.text, path);
  slot.checksum = layout::sum_of(slot);
  return vacant;
}

Result<int> Journal::remember(const JournalEntry& entry) {
  if (entry.old_value.cut() || entry.ours.cut() || entry.path.cut())
    return make_error(E2BIG, "journal", entry.path.view());
  const int index = find_free();
  if (index < 0) return make_error(ENOSPC, "journal", entry.path.view());
  int path_index = -1;
  if (!entry.path.empty()) {
    auto placed = place_path(entry.path.view(), entry.cgroup_id);
    if (!placed) return placed.error();
    path_index = *placed;
  }
  layout::Entry& to = file_->entries[index];
  std::memset(static_cast<void*>(&to), 0, sizeof to);
  to.cgroup_id = entry.cgroup_id;
  to.start_ticks = entry.start_ticks;
  to.path_index = path_index;
  to.path_checksum = path_index < 0 ? 0 : file_->paths[path_index].checksum;
  to.pid = entry.pid;
  to.tid = entry.tid;
  to.kind = static_cast<uint8_t>(entry.kind);
  to.file = static_cast<uint8_t>(entry.file);
  layout::put_text(to.old_value, entry.old_value.view());
  to.checksum = layout::sum_of(to);
  layout::put_text(to.ours[0].text, entry.ours.view());
  to.ours[0].sequence = 1;
  to.ours[0].checksum = layout::sum_of(to.ours[0]);
  to.deadline_ns = entry.deadline_ns;
  // The release store is the publication: everything above is in the mapping before it, in program order for a
  // SIGKILL, in memory order for the keeper on another CPU.
  __atomic_store_n(&file_->states[index], static_cast<uint32_t>(EntryState::armed), __ATOMIC_SEQ_CST);
  return index;
}

Result<void> Journal::set_ours(int index, std::string_view next) {
  if (state(index) != EntryState::armed) return make_error(ESTALE, "rewrite journal entry");
  if (next.size() >= layout::kValueBytes) return make_error(E2BIG, "journal value", next);
  layout::Value(&ours)[2] = file_->entries[index].ours;
  const bool first_is_newer = ours[0].checksum == layout::sum_of(ours[0]) &&
                              (ours[1].checksum != layout::sum_of(ours[1]) || ours[0].sequence > ours[1].sequence);
  layout::Value& to = ours[first_is_newer ? 1 : 0];
  const uint64_t sequence = ours[first_is_newer ? 0 : 1].sequence + 1;
  __atomic_store_n(&to.checksum, 0, __ATOMIC_SEQ_CST);  // from here until the last store this slot counts as empty
  layout::put_text(to.text, next);
  to.sequence = sequence;
  __atomic_store_n(&to.checksum, layout::sum_of(to), __ATOMIC_SEQ_CST);
  return {};
}

void Journal::renew(int index, uint64_t deadline_ns) {
  if (in_range(index)) __atomic_store_n(&file_->entries[index].deadline_ns, deadline_ns, __ATOMIC_RELEASE);
}

void Journal::forget(int index) {
  if (in_range(index))
    __atomic_store_n(&file_->states[index], static_cast<uint32_t>(EntryState::free), __ATOMIC_SEQ_CST);
}

void Journal::mark_returned(int index) {
  uint32_t armed = static_cast<uint32_t>(EntryState::armed);
  if (!in_range(index)) return;
  // Compare: the agent may have forgotten the entry meanwhile.
  __atomic_compare_exchange_n(&file_->states[index], &armed, static_cast<uint32_t>(EntryState::returned), false,
                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

EntryState Journal::state(int index) const {
  if (!in_range(index)) return EntryState::free;
  const uint32_t word = __atomic_load_n(&file_->states[index], __ATOMIC_ACQUIRE);
  if (word == static_cast<uint32_t>(EntryState::armed)) return EntryState::armed;
  if (word == static_cast<uint32_t>(EntryState::returned)) return EntryState::returned;
  return EntryState::free;
}

std::optional<JournalEntry> Journal::read(int index) const {
  const EntryState before = state(index);
  if (before == EntryState::free) return std::nullopt;
  layout::Entry copy;
  std::memcpy(static_cast<void*>(&copy), &file_->entries[index], sizeof copy);
  if (copy.checksum != layout::sum_of(copy)) return std::nullopt;
  if (copy.kind == 0 || copy.kind > kLastEntryKind || copy.file > kLastCgroupFile) return std::nullopt;
  JournalEntry entry;
  if (copy.path_index >= 0) {
    if (copy.path_index >= layout::kPaths) return std::nullopt;
    layout::Path path;
    std::memcpy(static_cast<void*>(&path), &file_->paths[copy.path_index], sizeof path);
    const auto text = layout::get_text(path.text);
    if (!text || path.checksum != layout::sum_of(path) || path.checksum != copy.path_checksum) return std::nullopt;
    entry.path = *text;
  }
  const auto old_value = layout::get_text(copy.old_value);
  if (!old_value) return std::nullopt;
  bool valid[2];
  for (int i = 0; i < 2; ++i)
    valid[i] = copy.ours[i].checksum == layout::sum_of(copy.ours[i]) && layout::get_text(copy.ours[i].text).has_value();
  if (!valid[0] && !valid[1]) return std::nullopt;
  const int newest = valid[0] && (!valid[1] || copy.ours[0].sequence > copy.ours[1].sequence) ? 0 : 1;
  entry.ours = *layout::get_text(copy.ours[newest].text);
  if (valid[1 - newest]) entry.ours_before = *layout::get_text(copy.ours[1 - newest].text);
  entry.kind = static_cast<EntryKind>(copy.kind);
  entry.file = static_cast<CgroupFile>(copy.file);
  entry.state = before;
  entry.cgroup_id = copy.cgroup_id;
  entry.pid = copy.pid;
  entry.tid = copy.tid;
  entry.start_ticks = copy.start_ticks;
  entry.old_value = *old_value;
  entry.deadline_ns = copy.deadline_ns;
  if (state(index) == EntryState::free) return std::nullopt;  // forgotten while we copied
  return entry;
}

int Journal::drop_damaged() {
  int count = 0;
  for (int i = 0; i < layout::kEntries; ++i) {
    if (__atomic_load_n(&file_->states[i], __ATOMIC_ACQUIRE) == static_cast<uint32_t>(EntryState::free) || read(i))
      continue;
    forget(i);
    ++count;
  }
  return count;
}

}  // namespace hosa
