#include "detect/habituation.h"

namespace hosa::detect {
namespace {

constexpr double kStill = 0.02;       // of the first threshold per second: from 0 to it in 50 s is no stillness
constexpr double kSamePlateau = 0.2;  // s may wander by this part of itself
constexpr double kDeformation = 3;    // as the regime's: thrice the learned spread
constexpr double kEntropyBits = 0.5;
constexpr double kSpreads = 0.3;
constexpr double kLeastSeconds = 3600;
constexpr double kSilence = -0.5;

}  // namespace

// Written so that a value that is not a number refuses.
uint16_t Habituation::refuse(const Plateau& now) {
  unsigned reasons = 0;
  const double still = kStill * now.threshold;
  if (!(now.slope < still && now.slope > -still)) reasons |= kMoving;
  if (!(now.rho <= kDeformation)) reasons |= kDeformed;
  if (!(now.entropy_change <= kEntropyBits && now.entropy_change >= -kEntropyBits)) reasons |= kEntropy;
  if (!(now.propagation <= kSpreads)) reasons |= kSpreading;
  if (!(now.smoothed < now.safety_bound)) reasons |= kFar;
  if (!(now.seconds_left > kLeastSeconds)) reasons |= kRunningOut;
  if (!(now.phi >= kSilence) && !now.season_agrees) reasons |= kSilent;
  if (now.action_in_force) reasons |= kHeld;
  return static_cast<uint16_t>(reasons);
}

bool Habituation::step(const Plateau& now, double dt) {
  reasons_ = refuse(now);
  if (now.level < 1) {
    stable_seconds_ = 0;
    return false;
  }
  const double apart = now.smoothed > anchor_ ? now.smoothed - anchor_ : anchor_ - now.smoothed;
  if (stable_seconds_ <= 0 || !(apart <= kSamePlateau * anchor_)) {
    if (apart > 0) reasons_ |= kMoving;
    anchor_ = now.smoothed;
    stable_seconds_ = 0;
  }
  // One jittery slope is no new plateau: it only stops the clock, which the wandering of s sets back.
  if ((reasons_ & static_cast<unsigned>(~kMoving)) != 0)
    stable_seconds_ = 0;
  else if ((reasons_ & kMoving) == 0 || stable_seconds_ <= 0)
    stable_seconds_ += dt;
  return reasons_ == 0 && stable_seconds_ >= kStableSeconds;
}

}  // namespace hosa::detect
