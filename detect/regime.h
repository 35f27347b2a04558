// The regime: what an episode is (spec 5), as distinct from the level, which says how far it has gone.
//
//   -3 silence        level >= 1, phi clearly below zero, and the season does not expect it
//   -2 idle by design level 0, excess provisioning near 1: never near capacity in any window
//   -1 idle           load below normal, as the season expects
//    0 homeostasis    level 0
//   +1 plateau shift  level >= 1, the score has stopped climbing, rho low; also where no signature holds
//   +2 season         level >= 1, but the load is periodic and near the window's own baseline
//   +3 adversarial    level >= 1, hardly more load than normal, but the dimensions move together differently (rho) or
//                     the syscall mix has changed (dH); or load that does no work (WEI)
//   +4 local failure  level >= 1 and the score climbs, or an exhaustible resource runs out within two minutes
//   +5 propagation    level >= 1 and the propagation index high
// Signatures that hold at once are all reported; the verdict is the most severe: +5, +4, +3, -3, +1, +2, -1, -2, 0.
// From -3 to +5 is one step. What was not measured keeps its default, which holds for nothing.
#pragma once
#include <cstddef>
#include <cstdint>

#include "detect/arithmetic.h"

namespace hosa::detect {

// What the distance cannot know, handed in by who measures it.
struct Context {
  double seconds_left = kInfinity;  // of the resource that runs out first
  double entropy_change = 0;        // dH of the syscall mix, bits
  double work_efficiency = 1;       // WEI
  double propagation = 0;           // PBI
  double excess = 0;                // EPI overall; 0 until a whole season was seen
  bool season_expects_less = false;
  bool season_explains = false;            // periodic, and near the window's own baseline
  std::size_t share_dimension = SIZE_MAX;  // of the resource whose largest user is unlike it was (top_share.h)
  double calendar_seconds = -1;  // what seasons are counted by; negative: not known, the clock is not synchronised
};

struct Indicators {
  int level = 0;
  double smoothed = 0, threshold = 1;  // s and h of level 1
  double slope = 0;                    // ds/dt
  double phi = 0, rho = 0;
  double seconds_left = 0;  // infinity: nothing runs out
  double entropy_change = 0, work_efficiency = 1, propagation = 0, excess = 0;
  bool season_expects_less = false, season_explains = false;
};

struct Regime {
  int value = 0;
  uint8_t holding = 0;  // signatures that hold, one bit each
  static constexpr uint8_t kSilence = 1, kPlateau = 2, kAdversarial = 4, kFailure = 8, kSeason = 16, kIdle = 32,
                           kStructural = 64, kPropagation = 128;
};

// Pure. A signature whose indicator is not finite does not hold.
Regime regime_of(const Indicators& now);

}  // namespace hosa::detect
