#include "loader/kernel_symbols.h"

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

Result<void> take_symbol(std::string_view line, List<KernelSymbol>& wanted) {
  const auto address = to_number<uint64_t>(take_word(line), 16);
  take_word(line);
  const std::string_view name = take_word(line);
  auto* const found = std::lower_bound(wanted.begin(), wanted.end(), name,
                                       [](const KernelSymbol& a, std::string_view b) { return a.name < b; });
  if (!address || found == wanted.end() || found->name != name) return {};
  if (found->found && found->address != *address)
    return make_error(EINVAL, "kernel symbol stands at two addresses:", name);
  found->found = true;
  found->address = *address;
  return {};
}

}  // namespace

Result<void> read_kernel_symbols(List<KernelSymbol>& wanted) {
  wanted.sort([](const KernelSymbol& a, const KernelSymbol& b) { return a.name < b.name; });
  const auto file = open_file(AT_FDCWD, "/proc/kallsyms");
  if (!file) return file.error();
  char block[8192];
  std::size_t held = 0;
  for (;;) {
    const ssize_t got = ::read(file->get(), block + held, sizeof block - held);
    if (got < 0) return errno_error("read /proc/kallsyms");
    if (got == 0) return {};
    held += static_cast<std::size_t>(got);
    std::size_t start = 0;
    for (std::size_t end = 0; end < held; ++end) {
      if (block[end] != '\n') continue;
      if (const auto taken = take_symbol({block + start, end - start}, wanted); !taken) return taken;
      start = end + 1;
    }
    if (start == 0 && held == sizeof block) start = held;  // no line is that long
    held -= start;
    std::memmove(block, block + start, held);
  }
}

}  // namespace hosa
