// The board itself: how warm it is, whether it has slowed its CPUs, whether its supply sags. Files stay open; what a
// machine has not is absent (virtual machines have none of it). Sources:
//   class/thermal/thermal_zone*/temp                      thousandths of a degree Celsius; the warmest counts
//   devices/system/cpu/cpufreq/policy*/scaling_max_freq   against cpuinfo_max_freq: thermal limits lower the former
//   class/hwmon/hwmon*/in0_lcrit_alarm                    1 while under-voltage (Raspberry Pi: driver rpi_volt)
#pragma once
#include <optional>

#include "loader/sys/fixed.h"
#include "proprioception/kernel_text.h"

namespace hosa {

struct BoardState {
  std::optional<double> celsius;       // the warmest zone
  std::optional<double> slowed_share;  // 0..1: by how much the most limited CPU is kept below its own maximum
  std::optional<double> undervoltage;  // 0 or 1
};

class Board {
 public:
  static constexpr unsigned kMost = 16;  // zones, policies and supplies; a phone's SoC has up to 90 zones: the first 16
  static Board open(const Fd& sys);
  BoardState read() const;

 private:
  KernelText zones_[kMost], limits_[kMost], alarms_[kMost];
  double highest_khz_[kMost] = {};
};

}  // namespace hosa
