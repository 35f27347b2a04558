#include "detect/horizon.h"

#include <cmath>

#include "test/catch.h"

using hosa::detect::Horizon;
using hosa::detect::kInfinity;

TEST_CASE("a ramp's slope and end are exact at any mixture of polling intervals") {
  Horizon horizon;
  double now = 0;
  const double steps[] = {0.5, 0.1, 0.01, 0.01, 0.5, 0.37};
  for (int i = 0; i < 60; ++i) {
    const double seconds = horizon.step(1000 - 5 * now, now);
    if (now > 3) {
      CHECK(horizon.slope() == Approx(-5).epsilon(1e-9));
      CHECK(seconds == Approx((1000 - 5 * now) / 5).epsilon(1e-9));
    }
    now += steps[i % 6];
  }
}

TEST_CASE("nothing shrinks: the horizon is infinitely far") {
  Horizon still, growing;
  for (int i = 0; i < 100; ++i) {
    CHECK(still.step(500, 0.1 * i) == kInfinity);
    CHECK(growing.step(500 + i, 0.1 * i) == kInfinity);
  }
}

TEST_CASE("two readings are no history") {
  Horizon horizon;
  horizon.step(1000, 0);
  CHECK(horizon.step(10, 0.1) == kInfinity);
}

TEST_CASE("leaks on a 512 MB machine come below 120 s in time") {
  for (const auto& [rate, within] : {std::pair{50.0, 1.0}, std::pair{5.0, 10.0}}) {
    Horizon horizon;
    double left = 400, seconds = kInfinity, leaking = 0;
    for (int i = 0; i < 300; ++i) horizon.step(left, 0.1 * i);
    for (int i = 300; seconds > 120 && leaking < 20; ++i) {
      left -= rate * 0.1;
      leaking += 0.1;
      seconds = horizon.step(left, 0.1 * i);
    }
    INFO(rate << " MB/s after " << leaking << " s");
    CHECK(leaking <= within);
  }
}

TEST_CASE("a resource that is gone has no time left, and bad readings change nothing") {
  Horizon horizon;
  for (int i = 0; i <= 50; ++i) horizon.step(50 - i, 0.1 * i);
  CHECK(horizon.seconds() == 0);
  CHECK(horizon.step(NAN, 6) == 0);
  CHECK(horizon.step(100, 4) == 0);
  CHECK(horizon.step(100, INFINITY) == 0);
}
