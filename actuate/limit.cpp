#include "actuate/limit.h"

#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

// The first word as a number; "max" is the largest there is.
std::optional<uint64_t> magnitude(std::string_view text) {
  const std::string_view word = take_word(text);
  if (word == "max") return UINT64_MAX;
  return to_number(word);
}

}  // namespace

bool is_stricter(CgroupFile, std::string_view ours, std::string_view standing) {
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
// only write above use, so the flag guards against a race.
Result<void> write_value(const Fd& cgroup, CgroupFile file, std::string_view value) {
  return write_file(cgroup.get(), file_name(file), value, file == CgroupFile::memory_high ? O_NONBLOCK : 0);
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

Owner owner_of(const JournalEntry& entry, std::string_view standing) {
  standing = trim(standing);
  if (standing == entry.ours.view()) return Owner::ours;
  if (!entry.ours_before.empty() && standing == entry.ours_before.view()) return Owner::ours;
  return standing == entry.old_value.view() ? Owner::before_us : Owner::somebody;
}

}  // namespace hosa
