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
constexpr double kEntropyBits = 1;    // of a mix of some 3-5 bits
constexpr double kParasitic = 0.5;    // half the work for what is used
constexpr double kSpreading = 0.5;    // two of the four indicators at their full mark, or all at half of it
constexpr double kNeverNeeded = 0.9;  // of the capacity, in the busiest window there was

uint8_t signatures(const Indicators& now) {
  unsigned holding = 0;
  if (now.level < 1) {
    if (now.phi < 0 && now.season_expects_less) holding |= Regime::kIdle;
    if (now.excess > kNeverNeeded) holding |= Regime::kStructural;
    return static_cast<uint8_t>(holding);
  }
  const bool ordinary = now.phi > -kOrdinary && now.phi < kOrdinary;
  const bool climbing = now.slope > kClimbing * now.threshold;
  const bool mixed = now.entropy_change > kEntropyBits || now.entropy_change < -kEntropyBits;
  if (now.phi < kSilent && !now.season_expects_less) holding |= Regime::kSilence;
  if (climbing || now.seconds_left < Horizon::kShortSeconds) holding |= Regime::kFailure;
  if (ordinary && (now.rho > kDeformed || mixed)) holding |= Regime::kAdversarial;
  if (now.work_efficiency < kParasitic) holding |= Regime::kAdversarial;
  if (!climbing && now.rho <= kDeformed) holding |= now.season_explains ? Regime::kSeason : Regime::kPlateau;
  if (now.propagation > kSpreading) holding |= Regime::kPropagation;
  return static_cast<uint8_t>(holding);
}

}  // namespace

Regime regime_of(const Indicators& now) {
  struct Rank {
    uint8_t signature;
    int value;
  };
  constexpr Rank kBySeverity[] = {{Regime::kPropagation, 5}, {Regime::kFailure, 4},    {Regime::kAdversarial, 3},
                                  {Regime::kSilence, -3},    {Regime::kPlateau, 1},    {Regime::kSeason, 2},
                                  {Regime::kIdle, -1},       {Regime::kStructural, -2}};
  Regime regime;
  regime.holding = signatures(now);
  regime.value = now.level < 1 ? 0 : 1;
  for (const Rank& rank : kBySeverity) {
    if ((regime.holding & rank.signature) == 0) continue;
    regime.value = rank.value;
    break;
  }
  return regime;
}

}  // namespace hosa::detect
