#include "actuate/limit.h"

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/turn.h"

namespace hosa {
namespace {

// The first word as a number; "max" is the largest there is.
std::optional<uint64_t> magnitude(std::string_view text) {
  const std::string_view word = take_word(text);
  if (word == "max") return UINT64_MAX;
  return to_number(word);
}

// cpu.max "QUOTA PERIOD": which share of a CPU is smaller? Cross-multiplied; the kernel bounds periods to 1 s and
// quotas to 2^44 us (kernel/sched/core.c), so nothing overflows.
bool is_smaller_share(std::string_view ours, std::string_view standing) {
  const auto quota = magnitude(take_word(ours)), other_quota = magnitude(take_word(standing));
  const auto period = to_number(trim(ours)), other_period = to_number(trim(standing));
  if (!quota || !other_quota || !period || !other_period || *quota == UINT64_MAX) return false;
  if (*quota > 1ull << 44 || *period > 1'000'000 || *other_period > 1'000'000) return false;
  if (*other_quota > 1ull << 44) return *other_quota == UINT64_MAX;
  return *quota * *other_period < *other_quota * *period;
}

}  // namespace

bool is_stricter(CgroupFile file, std::string_view ours, std::string_view standing) {
  if (file == CgroupFile::cpu_max) return is_smaller_share(ours, standing);
  const auto mine = magnitude(ours), theirs = magnitude(standing);
  return mine && theirs && *mine < *theirs;
}

Result<ValueText> read_value(const Fd& cgroup, CgroupFile file) {
  char buffer[256];
  auto text = read_file(cgroup.get(), file_name(file), buffer);
  if (!text) return text.error();
  const ValueText value(trim(*text));
  if (value.cut()) return make_error(E2BIG, "value of", file_name(file));
  return value;
}

// memory.high below use blocks its writer in reclaim (0.75-5.3 s with swap); O_NONBLOCK is honoured from 6.16 on. We
// only write above use, so the flag guards against a race. O_TRUNC is for plain files (fixtures); cgroupfs ignores it.
Result<void> write_value(const Fd& cgroup, CgroupFile file, std::string_view value) {
  const int flags = file == CgroupFile::memory_high ? O_TRUNC | O_NONBLOCK : O_TRUNC;
  return write_file(cgroup.get(), file_name(file), value, flags);
}

Result<LimitChange> apply_limit(Journal& journal, const CgroupRef& cgroup, CgroupFile file, std::string_view wanted,
                                uint64_t deadline_ns) {
  auto standing = read_value(*cgroup.directory, file);
  if (!standing) return standing.error();
  LimitChange change;
  change.old_value = *standing;
  change.new_value = wanted;
  if (!is_stricter(file, wanted, standing->view())) return change;
  JournalEntry entry;
  entry.kind = EntryKind::limit_file;
  entry.file = file;
  entry.cgroup_id = cgroup.id;
  entry.path = cgroup.path;
  entry.old_value = change.old_value;
  entry.ours = change.new_value;
  entry.deadline_ns = deadline_ns;
  auto index = journal.remember(entry);
  if (!index) return index.error();
  if (auto put = write_value(*cgroup.directory, file, wanted); !put) {
    journal.forget(*index);
    return put.error();
  }
  change.written = true;
  change.entry = *index;
  return change;
}

Result<void> rewrite_limit(Journal& journal, int index, const Fd& cgroup, std::string_view next) {
  const auto entry = journal.read(index);
  if (!entry) return make_error(ESTALE, "rewrite a limit that is not held");
  auto standing = read_value(cgroup, entry->file);
  if (!standing) return standing.error();
  if (owner_of(*entry, standing->view()) == Owner::somebody)
    return make_error(ESTALE, "rewrite", file_name(entry->file));
  if (!is_stricter(entry->file, next, entry->old_value.view())) return {};
  if (auto set = journal.set_ours(index, next); !set) return set.error();
  return write_value(cgroup, entry->file, next);
}

Kept keep_limit(Journal& journal, int index, const Fd& cgroup, int& rewrites) {
  const auto entry = journal.read(index);
  if (!entry) return Kept::given_up;
  let_others_run();
  const auto standing = read_value(cgroup, entry->file);
  if (!standing) return Kept::absent;
  switch (owner_of(*entry, standing->view())) {
    case Owner::ours: return Kept::ours;
    case Owner::somebody: journal.forget(index); return Kept::somebodys;
    case Owner::before_us: break;
  }
  if (rewrites >= kMostRewrites) return Kept::given_up;
  ++rewrites;
  return write_value(cgroup, entry->file, entry->ours.view()) ? Kept::written_again : Kept::given_up;
}

Owner owner_of(const JournalEntry& entry, std::string_view standing) {
  standing = trim(standing);
  if (standing == entry.ours.view()) return Owner::ours;
  if (!entry.ours_before.empty() && standing == entry.ours_before.view()) return Owner::ours;
  return standing == entry.old_value.view() ? Owner::before_us : Owner::somebody;
}

}  // namespace hosa
