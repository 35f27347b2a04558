#include "tools/hosa/memory_line.h"

#include <algorithm>

#include "actuate/undo.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr double kLookAfterS = 1.0;

ValueText page_aligned(double bytes, double page_bytes) {
  const auto page = static_cast<uint64_t>(page_bytes);
  ValueText text;
  text.append_unsigned(static_cast<uint64_t>(std::max(bytes, page_bytes)) / page * page);
  return text;
}

}  // namespace

void MemoryLine::set(const HoldContext& c, const MemoryEpisode& e, double line_bytes) {
  const ValueText line = page_aligned(line_bytes, c.page_bytes);
  if (c.shadow) return e.note(c, "insured", "memory.high", "", line.view(), "shadow", true);
  if (entry_ >= 0) {
    const auto done = rewrite_limit(c.journal, entry_, e.cgroup, line.view());
    return e.note(c, "insured", "memory.high", "", line.view(), done ? "ok" : errno_name(done.error().code).message);
  }
  constexpr const char* kFiles[] = {"memory.high", "memory.swap.max"};
  c.limit_watch.add(e.cgroup, e.path.view(), kFiles);
  hold_swap(c, e);
  const auto high = apply_limit(c.journal, e.cgroup_ref(), CgroupFile::memory_high, line.view(), lease_ns());
  if (high && high->written) entry_ = high->entry;
  const char* result = !high           ? errno_name(high.error().code).message
                       : high->written ? "ok"
                                       : "a stricter one stands there";
  e.note(c, "insured", "memory.high", high ? high->old_value.view() : std::string_view{}, line.view(), result, true);
}

// Swap first: with swap the culprit goes on into it, and the line's write blocks for seconds (findings 0.3).
void MemoryLine::hold_swap(const HoldContext& c, const MemoryEpisode& e) {
  char buffer[64];
  const auto in_swap = read_file(e.cgroup.get(), "memory.swap.current", buffer);
  if (!in_swap || swap_entry_ >= 0) return;
  const auto swap = apply_limit(c.journal, e.cgroup_ref(), CgroupFile::memory_swap_max, trim(*in_swap), lease_ns());
  if (!swap || !swap->written) return;
  swap_entry_ = swap->entry;
  e.note(c, "insured", "memory.swap.max", swap->old_value.view(), swap->new_value.view(), "ok");
}

void MemoryLine::drop(const HoldContext& c, const MemoryEpisode& e) {
  for (int* entry : {&entry_, &swap_entry_}) {
    if (*entry < 0) continue;
    const auto was = c.journal.read(*entry);
    const Undone outcome = undo_entry(c.journal, *entry, c.roots);
    if (was)
      e.note(c, "given_back", file_name(was->file), was->ours.view(), was->old_value.view(), undone_name(outcome));
    *entry = -1;
  }
}

void MemoryLine::keep(const HoldContext& c, const MemoryEpisode& e) {
  if (!c.limits_touched && c.moment.now_s - looked_after_s_ < kLookAfterS) return;
  looked_after_s_ = c.moment.now_s;
  for (int* index : {&entry_, &swap_entry_}) {
    const auto entry = c.journal.read(*index);
    if (!entry) continue;
    const Kept kept = keep_limit(c.journal, *index, e.cgroup, index == &entry_ ? rewritten_ : swap_rewritten_);
    if (kept == Kept::written_again)
      e.note(c, "insured", file_name(entry->file), entry->old_value.view(), entry->ours.view(), "written again");
    if (kept != Kept::somebodys) continue;
    *index = -1;
    possible_ = possible_ && index != &entry_;
    const auto standing = read_value(e.cgroup, entry->file);
    e.note(c, "changed", file_name(entry->file), entry->ours.view(), standing ? standing->view() : std::string_view{},
           "somebody else's value: left");
  }
}

}  // namespace hosa
