#include "detect/regime.h"

#include "detect/arithmetic.h"
#include "detect/moments.h"
#include "test/catch.h"
#include "test/detect/vectors.h"

using namespace hosa::detect;

namespace {
Indicators alarmed() {
  Indicators now;
  now.level = 1;
  now.smoothed = 20;
  now.threshold = 15;
  now.seconds_left = kInfinity;
  return now;
}
}  // namespace

TEST_CASE("deformation agrees with the vectors") {
  const auto vectors = read_vectors("indices");
  Triangle<double> recent{}, base{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      recent[i][j] = vectors.at(indexed("R", i))[j];
      base[i][j] = vectors.at(indexed("B", i))[j];
    }
  }
  check_near(deformation(recent, base, 3), vectors.at("rho")[0], 1e-9);
  CHECK(deformation(recent, Triangle<double>{}, 3) == 0);
}

TEST_CASE("without a level every indicator is homeostasis") {
  Indicators now = alarmed();
  now.level = 0;
  now.phi = -3;
  now.rho = 10;
  now.slope = 5;
  CHECK(regime_of(now).value == 0);
}

TEST_CASE("a score that has settled is a plateau shift") {
  CHECK(regime_of(alarmed()).value == 1);
}

TEST_CASE("a score that climbs is a local failure") {
  Indicators now = alarmed();
  now.slope = 1;  // h / 15 per second
  CHECK(regime_of(now).value == 4);
  now.slope = 0.5;  // h / 30
  CHECK(regime_of(now).value == 1);
}

TEST_CASE("a resource that runs out within two minutes is a local failure") {
  Indicators now = alarmed();
  now.seconds_left = 119;
  CHECK(regime_of(now).value == 4);
  now.seconds_left = 121;
  CHECK(regime_of(now).value == 1);
}

TEST_CASE("far less load than normal is silence") {
  Indicators now = alarmed();
  now.phi = -0.6;
  CHECK(regime_of(now).value == -3);
  now.phi = -0.4;
  CHECK(regime_of(now).value == 1);
}

TEST_CASE("ordinary magnitudes that move together differently are adversarial") {
  Indicators now = alarmed();
  now.rho = 3.5;
  CHECK(regime_of(now).value == 3);
  now.phi = 0.6;  // not ordinary any more
  CHECK(regime_of(now).value == 1);
}

TEST_CASE("signatures that hold at once are all reported and the most severe is the verdict") {
  Indicators now = alarmed();
  now.phi = -0.6;
  now.slope = 1;
  const Regime regime = regime_of(now);
  CHECK(regime.value == 4);
  CHECK(regime.holding == (Regime::kSilence | Regime::kFailure));
}

TEST_CASE("the mix of syscalls changes at ordinary magnitudes: adversarial; so is load that does no work") {
  Indicators now = alarmed();
  now.entropy_change = -1.5;
  CHECK(regime_of(now).value == 3);
  now.phi = 2;
  CHECK(regime_of(now).value == 1);
  now.work_efficiency = 0.3;
  CHECK(regime_of(now).value == 3);
}

TEST_CASE("what spreads is worse than what grows, and silence may turn into it at once") {
  Indicators now = alarmed();
  now.phi = -0.6;
  CHECK(regime_of(now).value == -3);
  now.propagation = 0.6;
  now.slope = 1;
  CHECK(regime_of(now).value == 5);
}

TEST_CASE("a season that explains the load is +2, one that expects quiet makes silence a plateau or idleness") {
  Indicators now = alarmed();
  now.season_explains = true;
  CHECK(regime_of(now).value == 2);
  now = alarmed();
  now.phi = -0.6;
  now.season_expects_less = true;
  CHECK(regime_of(now).value == 1);
  now.level = 0;
  CHECK(regime_of(now).value == -1);
  now.season_expects_less = false;
  CHECK(regime_of(now).value == 0);
}

TEST_CASE("a machine that never came near its capacity is idle by design") {
  Indicators now = alarmed();
  now.level = 0;
  now.excess = 0.95;
  CHECK(regime_of(now).value == -2);
  now.excess = 0.8;
  CHECK(regime_of(now).value == 0);
  now.excess = 0.95;
  now.level = 1;
  CHECK(regime_of(now).value == 1);
}
