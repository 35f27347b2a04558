// Pressure stall information, /proc/pressure/{cpu,memory,io} and a cgroup's *.pressure: microseconds since boot in
// which some (or all, "full") runnable tasks waited. The totals are fresh at each read; the averages beside them are 2
// s old and not used. Absent before 4.20, with psi=0, or built in but off (Raspberry Pi OS).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace hosa {

struct Pressure {
  std::optional<uint64_t> some_us;
  std::optional<uint64_t> full_us;  // cpu: only since 5.13, and 0 for the whole machine
};

Pressure parse_pressure(std::string_view text);

}  // namespace hosa
