#include "actuate/khugepaged.h"

#include <fcntl.h>

#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr const char* kFile = "/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan";
constexpr std::string_view kLeast = "1";

}  // namespace

std::optional<ValueText> read_khugepaged() {
  char buffer[32];
  const auto text = read_file(AT_FDCWD, kFile, buffer);
  if (!text || !to_number(trim(*text))) return std::nullopt;
  return ValueText(trim(*text));
}

bool write_khugepaged(std::string_view value) {
  return write_file(AT_FDCWD, kFile, value).has_value();
}

int slow_khugepaged(Journal& journal, uint64_t deadline_ns) {
  const auto standing = read_khugepaged();
  if (!standing || standing->view() == kLeast) return -1;
  JournalEntry change;
  change.kind = EntryKind::khugepaged;
  change.old_value = *standing;
  change.ours = kLeast;
  change.deadline_ns = deadline_ns;
  const auto index = journal.remember(change);
  if (!index) return -1;
  if (write_khugepaged(kLeast)) return *index;
  journal.forget(*index);
  return -1;
}

}  // namespace hosa
