#include "proprioception/board.h"

#include <algorithm>

#include "loader/sys/text.h"

namespace hosa {

namespace {

FixedString<96> numbered(const char* before, unsigned number, const char* after) {
  FixedString<96> path(before);
  path.append_unsigned(number).append(after);
  return path;
}

std::optional<double> number_in(const KernelText& file) {
  char buffer[32];
  const auto text = file.read(buffer);
  if (!text) return std::nullopt;
  const auto number = to_number<int64_t>(trim(*text));
  return number ? std::optional<double>(static_cast<double>(*number)) : std::nullopt;
}

}  // namespace

Board Board::open(const Fd& sys) {
  Board board;
  for (unsigned i = 0; i < kMost; ++i) {
    board.zones_[i] = KernelText::open(sys, numbered("class/thermal/thermal_zone", i, "/temp").c_str());
    board.alarms_[i] = KernelText::open(sys, numbered("class/hwmon/hwmon", i, "/in0_lcrit_alarm").c_str());
    constexpr const char* kPolicy = "devices/system/cpu/cpufreq/policy";
    const auto highest = number_in(KernelText::open(sys, numbered(kPolicy, i, "/cpuinfo_max_freq").c_str()));
    if (!highest || *highest <= 0) continue;
    board.highest_khz_[i] = *highest;
    board.limits_[i] = KernelText::open(sys, numbered(kPolicy, i, "/scaling_max_freq").c_str());
  }
  return board;
}

BoardState Board::read() const {
  BoardState state;
  for (unsigned i = 0; i < kMost; ++i) {
    constexpr double kColdest = -100, kHottest = 200;  // beyond: no sensor, or a broken one
    if (const auto milli = number_in(zones_[i]); milli && *milli / 1000 > kColdest && *milli / 1000 < kHottest)
      state.celsius = std::max(state.celsius.value_or(kColdest), *milli / 1000);
    if (const auto limit = number_in(limits_[i]))
      state.slowed_share = std::max(state.slowed_share.value_or(0), std::clamp(1 - *limit / highest_khz_[i], 0.0, 1.0));
    if (const auto alarm = number_in(alarms_[i]))
      state.undervoltage = std::max(state.undervoltage.value_or(0), *alarm != 0 ? 1.0 : 0.0);
  }
  return state;
}

}  // namespace hosa
