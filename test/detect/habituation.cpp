#include "detect/habituation.h"

#include "detect/arithmetic.h"
#include "test/catch.h"

using namespace hosa::detect;

namespace {
Plateau settled() {
  Plateau now;
  now.level = 1;
  now.smoothed = 20;
  now.threshold = 10;
  now.safety_bound = 32;
  now.seconds_left = kInfinity;
  now.action_in_force = false;
  return now;
}

bool habit_after(const Plateau& now, double seconds) {
  Habituation habituation;
  bool on = false;
  for (int i = 0; i < seconds * 10; ++i) on = habituation.step(now, 0.1);
  return on;
}
}  // namespace

TEST_CASE("a plateau becomes habit after two minutes, not before") {
  CHECK_FALSE(habit_after(settled(), 119));
  CHECK(habit_after(settled(), 121));
}

TEST_CASE("each precondition alone keeps a plateau from becoming habit") {
  const auto refused = [](auto spoil, uint16_t reason) {
    Plateau now = settled();
    spoil(now);
    CHECK(Habituation::refuse(now) == reason);
    CHECK_FALSE(habit_after(now, 600));
  };
  CHECK(Habituation::refuse(settled()) == 0);
  refused([](Plateau& p) { p.slope = 0.3; }, Habituation::kMoving);
  refused([](Plateau& p) { p.slope = -0.3; }, Habituation::kMoving);
  refused([](Plateau& p) { p.rho = 3.5; }, Habituation::kDeformed);
  refused([](Plateau& p) { p.entropy_change = -0.6; }, Habituation::kEntropy);
  refused([](Plateau& p) { p.propagation = 0.4; }, Habituation::kSpreading);
  refused([](Plateau& p) { p.smoothed = 33; }, Habituation::kFar);
  refused([](Plateau& p) { p.seconds_left = 1800; }, Habituation::kRunningOut);
  refused([](Plateau& p) { p.phi = -0.6; }, Habituation::kSilent);
  refused([](Plateau& p) { p.action_in_force = true; }, Habituation::kHeld);
  refused([](Plateau& p) { p.rho = __builtin_nan(""); }, Habituation::kDeformed);
}

TEST_CASE("less load becomes habit where the season agrees") {
  Plateau now = settled();
  now.phi = -0.6;
  now.season_agrees = true;
  CHECK(habit_after(now, 121));
}

TEST_CASE("the two minutes start again when the score moves on or a precondition fails for a moment") {
  Habituation habituation;
  Plateau now = settled();
  const auto pass = [&](double seconds) {
    bool on = false;
    for (int i = 0; i < seconds * 10; ++i) on = habituation.step(now, 0.1);
    return on;
  };
  CHECK_FALSE(pass(100));
  now.smoothed = 26;  // another plateau
  CHECK_FALSE(pass(100));
  CHECK(pass(21));
  now.propagation = 1;
  CHECK_FALSE(pass(0.1));
  now.propagation = 0;
  CHECK_FALSE(pass(119));
  CHECK(pass(2));
  now.level = 0;
  CHECK_FALSE(pass(0.1));
}
