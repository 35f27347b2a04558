// Lists of numbers as sysfs writes them: "0-3,5,8-11". Used for possible CPUs, NUMA nodes, cache domains.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {

// Calls each(first, last) for every range; false when the text is empty or not such a list.
template <class Each>
bool for_each_range(std::string_view list, Each each) {
  list = trim(list);
  if (list.empty()) return false;
  while (!list.empty()) {
    std::string_view range = take_until(list, ',');
    const auto first = to_number<uint32_t>(take_until(range, '-'));
    const auto last = range.empty() ? first : to_number<uint32_t>(range);
    if (!first || !last || *last < *first) return false;
    each(*first, *last);
  }
  return true;
}

// How many slots an array indexed by CPU number needs: highest possible number + 1. The file is the only truth: musl's
// sysconf counts the affinity mask, and CPUs can be plugged in later. sys: "/sys".
// The kernel's own ceiling is 8192 (NR_CPUS); more is refused as nonsense.
inline Result<uint32_t> possible_cpu_slots(const char* sys) {
  constexpr uint32_t kHighestCpu = 8191;
  FixedString<200> path(sys);
  path.append("/devices/system/cpu/possible");
  char buffer[4096];
  const auto text = read_file(AT_FDCWD, path.c_str(), buffer);
  if (!text) return text.error();
  uint32_t slots = 0;
  const bool good = for_each_range(*text, [&](uint32_t, uint32_t last) {
    const uint32_t needed = last > kHighestCpu ? kHighestCpu + 2 : last + 1;
    if (needed > slots) slots = needed;
  });
  if (!good || slots > kHighestCpu + 1) return make_error(0, "read the list of possible CPUs", path.view());
  return slots;
}

}  // namespace hosa
