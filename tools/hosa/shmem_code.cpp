#include "tools/hosa/shmem_code.h"

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/kernel_text.h"

namespace hosa {
namespace {

constexpr uint64_t kLongestBytes = 64 * 1024;

bool is_shmem_name(std::string_view name) {
  for (const std::string_view wanted : {"shmem_get_folio_gfp", "shmem_getpage_gfp"})
    if (name == wanted || (name.starts_with(wanted) && name[wanted.size()] == '.')) return true;  // .isra.0
  return false;
}

// "30 25 0:27 / /mnt rw - tmpfs tmpfs rw,size=64k,huge=always"
bool mounts_huge(std::string_view line) {
  const std::size_t dash = line.find(" - tmpfs ");
  if (dash == std::string_view::npos) return false;
  std::string_view options = slice(line, dash + 9);
  take_word(options);  // its source
  while (!options.empty()) {
    const std::string_view option = take_until(options, ',');
    if (option.starts_with("huge=") && !option.starts_with("huge=never")) return true;
  }
  return false;
}

}  // namespace

bool huge_tmpfs_possible(const Fd& proc, const Fd& sys) {
  char buffer[128];
  const auto mode = read_word(sys, "kernel/mm/transparent_hugepage/shmem_enabled", buffer);
  if (!mode) return false;  // no huge pages at all
  if (mode->find("[never]") == std::string_view::npos && mode->find("[deny]") == std::string_view::npos) return true;
  const auto table = open_file(proc.get(), "self/mountinfo");
  if (!table) return false;
  LineReader lines(table->get());
  while (const auto line = lines.next())
    if (mounts_huge(*line)) return true;
  return false;
}

CodeRange find_shmem_code(const Fd& proc) {
  const auto table = open_file(proc.get(), "kallsyms");
  if (!table) return {};
  LineReader lines(table->get());
  uint64_t start = 0;
  while (const auto line = lines.next()) {
    std::string_view rest = *line;
    const auto address = to_number(take_word(rest), 16);
    if (!address) return {};
    if (start != 0 && *address > start) return {start, std::min(*address - start, kLongestBytes)};
    take_word(rest);  // its kind
    if (is_shmem_name(take_word(rest))) start = *address;
  }
  return {};
}

}  // namespace hosa
