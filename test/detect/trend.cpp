#include "detect/trend.h"

#include "test/detect/vectors.h"

using hosa::detect::Trend;

TEST_CASE("smoothed value, slope and curvature are the reference's at 10 Hz") {
  const Table table = read_vectors("filters");
  Trend trend;
  const auto& x = table.at("x");
  for (std::size_t t = 0; t < x.size(); ++t) {
    trend.add(x[t], 0.1);
    check_near(trend.smoothed(), table.at("ewma.2")[t]);
    check_near(trend.slope(), table.at("d1")[t], 1e-12, 1);
    check_near(trend.curvature(), table.at("d2")[t], 1e-12, 10);
  }
}

TEST_CASE("at 10 ms steps slope and curvature are as steady as at 0.1 s") {
  Trend slow, fast;
  for (int i = 0; i <= 100; ++i) slow.add(0.1 * i, 0.1);
  for (int i = 0; i <= 1000; ++i) fast.add(0.01 * i + (i % 2 ? 0.05 : -0.05), 0.01);
  CHECK(slow.slope() == Approx(1).epsilon(1e-3));
  CHECK(fast.slope() == Approx(1).epsilon(0.05));
  CHECK(std::abs(fast.curvature()) < 0.5);
}
