#include "actuate/kernel_setting.h"

#include <fcntl.h>

#include <utility>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "loader/tracefs.h"

namespace hosa {
namespace {

// Where the file's path begins; none: the file system cannot be had (not built in, lockdown).
std::optional<Fd> root_of(const KernelSetting& setting) {
  if (setting.file_system == nullptr) return Fd{};
  auto root = mount_privately(setting.file_system);
  return root ? std::optional<Fd>(std::move(*root)) : std::nullopt;
}

int directory(const Fd& root) {
  return root ? root.get() : AT_FDCWD;
}

}  // namespace

const KernelSetting* kernel_setting(EntryKind kind) {
  for (const KernelSetting& setting : kKernelSettings)
    if (setting.kind == kind) return &setting;
  return kind == kPreemption.kind ? &kPreemption : nullptr;
}

std::optional<ValueText> value_in(std::string_view text) {
  const std::size_t open = text.find('('), close = text.find(')');
  if (open == std::string_view::npos)
    return to_number(trim(text)) ? std::optional(ValueText(trim(text))) : std::nullopt;
  if (close == std::string_view::npos || close <= open + 1) return std::nullopt;
  return ValueText(slice(text, open + 1, close - open - 1));
}

std::optional<ValueText> read_setting(const KernelSetting& setting) {
  const auto root = root_of(setting);
  char buffer[64];
  if (!root) return std::nullopt;
  const auto text = read_file(directory(*root), setting.file, buffer);
  return text ? value_in(*text) : std::nullopt;
}

bool write_setting(const KernelSetting& setting, std::string_view value) {
  const auto root = root_of(setting);
  return root && write_file(directory(*root), setting.file, value).has_value();
}

std::optional<int> lower(const KernelSetting& setting, Journal& journal, uint64_t deadline_ns) {
  const auto standing = read_setting(setting);
  if (!standing || standing->view() == setting.ours) return std::nullopt;
  JournalEntry change;
  change.kind = setting.kind;
  change.old_value = *standing;
  change.ours = setting.ours;
  change.deadline_ns = deadline_ns;
  const auto index = journal.remember(change);
  if (!index) return std::nullopt;
  if (write_setting(setting, setting.ours)) return *index;
  journal.forget(*index);
  return std::nullopt;
}

}  // namespace hosa
