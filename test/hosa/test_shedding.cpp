#include "test/catch.h"
#include "tools/hosa/shedding.h"

using namespace hosa;

namespace {

EventRates storm(double wakeups) {
  EventRates rates;
  rates.wakeups = wakeups;
  rates.pages = 10'000;
  return rates;
}

}  // namespace

TEST_CASE("over budget the mix of system calls goes first, then wake-ups, a second apart") {
  Shedding shedding;
  CHECK_FALSE(shedding.step(storm(100'000), 2, 1));  // 0.5 % of two CPUs
  CHECK(shedding.share() < 0.01);
  CHECK(shedding.step(storm(1'500'000), 2, 1));  // 6.8 %
  CHECK(shedding.now() == Shedding::kSyscalls);
  CHECK_FALSE(shedding.step(storm(1'500'000), 2, 0.5));
  CHECK(shedding.step(storm(1'500'000), 2, 0.5));
  CHECK(shedding.now() == Shedding::kWakeups);
  for (int second = 0; second < 100; ++second) CHECK_FALSE(shedding.step(storm(1'500'000), 2, 1));  // said once
}

TEST_CASE("what was left out is taken back in the opposite order, ten quiet seconds apart") {
  Shedding shedding;
  shedding.step(storm(2'000'000), 2, 1);
  shedding.step(storm(2'000'000), 2, 1);
  REQUIRE(shedding.now() == Shedding::kWakeups);
  for (int second = 0; second < 9; ++second) CHECK_FALSE(shedding.step(storm(1000), 2, 1));
  CHECK_FALSE(shedding.step(storm(500'000), 2, 1));  // between half and whole: neither
  for (int second = 0; second < 9; ++second) CHECK_FALSE(shedding.step(storm(1000), 2, 1));
  CHECK(shedding.step(storm(1000), 2, 1));
  CHECK(shedding.now() == Shedding::kSyscalls);
  for (int second = 0; second < 9; ++second) CHECK_FALSE(shedding.step(storm(1000), 2, 1));
  CHECK(shedding.step(storm(1000), 2, 1));
  CHECK(shedding.now() == Shedding::kNothing);
  CHECK_FALSE(shedding.step(storm(1000), 2, 100));
}

TEST_CASE("a short burst leaves nothing out") {
  Shedding shedding;
  for (int i = 0; i < 20; ++i) {
    CHECK_FALSE(shedding.step(storm(5'000'000), 2, 0.5));
    CHECK_FALSE(shedding.step(storm(0), 2, 0.5));
  }
}
