// Habituation: when a new plateau may become the normal. Learning an anomaly is how a detector is poisoned, so all of
// these must hold together, without a break, for two minutes (spec 4): the score stands still, the dimensions move
// together as before (rho), the mix of syscalls has not changed (dH), nothing spreads (PBI), the distance is below the
// safety bound (the fourth threshold), nothing runs out within an hour, the season agrees where the load is below
// normal, and no action is in force: calm under a limit proves nothing.
#pragma once
#include <cstdint>

namespace hosa::detect {

struct Plateau {
  int level = 0;
  double smoothed = 0;          // s
  double slope = 0;             // ds/dt, 1/s
  double threshold = 1;         // of level 1
  double safety_bound = 1;      // s at or above this is never learned
  double rho = 0;               // covariance deformation
  double entropy_change = 0;    // dH, bits
  double propagation = 0;       // PBI
  double seconds_left = 0;      // TTF of what runs out first
  double phi = 0;               // load direction
  bool season_agrees = false;   // this time of the week is expected to be quiet
  bool action_in_force = true;  // a limit is
};

class Habituation {
 public:
  static constexpr double kStableSeconds = 120;  // T_min
  // Reasons against, one bit each.
  static constexpr uint16_t kMoving = 1, kDeformed = 2, kEntropy = 4, kSpreading = 8, kFar = 16, kRunningOut = 32,
                            kSilent = 64, kHeld = 128;

  // What speaks against it now.
  static uint16_t refuse(const Plateau& now);
  // Takes what holds now, dt seconds after the step before; true once it has held long enough. Level 0 starts anew.
  bool step(const Plateau& now, double dt);
  uint16_t reasons() const { return reasons_; }

 private:
  double stable_seconds_ = 0;
  double anchor_ = 0;  // s when it began to stand still
  uint16_t reasons_ = 0;
};

}  // namespace hosa::detect
