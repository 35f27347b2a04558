// The regime: what an episode is (spec 5), as distinct from the level, which says how far it has gone.
//
//   -3 silence        level >= 1 and phi clearly below zero: the machine does less than it learned
//    0 homeostasis    level 0
//   +1 plateau shift  level >= 1, the score has stopped climbing, rho low; also where no signature holds
//   +3 adversarial    level >= 1, hardly more load than normal, but the dimensions move together differently (rho)
//   +4 local failure  level >= 1 and the score climbs, or an exhaustible resource runs out within two minutes
// Signatures that hold at once are all reported; the verdict is the most severe: +4, +3, -3, +1. -2, -1, +2 need a
// season and +5 needs the outbound channels: they are not decided here yet.
#pragma once
#include <cstdint>

namespace hosa::detect {

struct Indicators {
  int level = 0;
  double smoothed = 0, threshold = 1;  // s and h of level 1
  double slope = 0;                    // ds/dt
  double phi = 0, rho = 0;
  double seconds_left = 0;  // infinity: nothing runs out
};

struct Regime {
  int value = 0;
  uint8_t holding = 0;  // signatures that hold, one bit each
  static constexpr uint8_t kSilence = 1, kPlateau = 2, kAdversarial = 4, kFailure = 8;
};

// Pure. A signature whose indicator is not finite does not hold.
Regime regime_of(const Indicators& now);

}  // namespace hosa::detect
