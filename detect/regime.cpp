#include "detect/regime.h"

#include "detect/horizon.h"

namespace hosa::detect {
namespace {

// phi is a mean of n signed deviations: -0.5 sigma on average is a machine that has stopped, not a quiet second.
constexpr double kSilent = -0.5;
constexpr double kOrdinary = 0.5;  // |phi| below this: magnitudes are ordinary
// |S_recent - S_base| / |S_base|: 1 is twice the spread that was learned.
constexpr double kDeformed = 3;
// The score gains this part of the first threshold per second: from calm to level 1 in 20 s.
constexpr double kClimbing = 0.05;

}  // namespace

Regime regime_of(const Indicators& now) {
  Regime regime;
  if (now.level < 1) return regime;
  const bool climbing = now.slope > kClimbing * now.threshold;
  if (now.phi < kSilent) regime.holding |= Regime::kSilence;
  if (climbing || now.seconds_left < Horizon::kShortSeconds) regime.holding |= Regime::kFailure;
  if (now.rho > kDeformed && now.phi > -kOrdinary && now.phi < kOrdinary) regime.holding |= Regime::kAdversarial;
  if (!climbing && now.rho <= kDeformed) regime.holding |= Regime::kPlateau;
  if (regime.holding & Regime::kFailure)
    regime.value = 4;
  else if (regime.holding & Regime::kAdversarial)
    regime.value = 3;
  else if (regime.holding & Regime::kSilence)
    regime.value = -3;
  else
    regime.value = 1;
  return regime;
}

}  // namespace hosa::detect
