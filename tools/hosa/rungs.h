// A row of the chain table of `doctor` and `status`: which rung a sensor stands on, and the reason why it is not a
// better one (empty when it is the best).
#pragma once
#include <string_view>

#include "loader/sys/fixed.h"

namespace hosa {

struct Rung {
  FixedString<23> sensor;
  FixedString<63> rung;
  FixedString<255> why_not_better;
};
using RungReport = FixedVector<Rung, 32>;

inline void add_rung(RungReport& report, std::string_view sensor, std::string_view rung, std::string_view why) {
  report.push_back({sensor, rung, why});
}

}  // namespace hosa
