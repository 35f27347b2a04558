// Addresses of kernel symbols (/proc/kallsyms), all that are wanted in one pass: the file has 200,000 lines.
#pragma once
#include <string_view>

#include "loader/list.h"
#include "loader/sys/error.h"

namespace hosa {

struct KernelSymbol {
  std::string_view name;
  uint64_t address = 0;
  bool found = false;
};

// Sorts the symbols by name and fills in what is found. One that stands at two addresses is an error.
Result<void> read_kernel_symbols(List<KernelSymbol>& wanted);

}  // namespace hosa
