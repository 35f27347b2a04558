#include "detect/thresholds.h"

#include <random>

#include "test/detect/vectors.h"

using namespace hosa::detect;

TEST_CASE("the tail is fitted and extrapolated as the reference does") {
  const Table table = read_vectors("pot");
  const auto& e = table.at("e");
  double mean = 0, variance = 0;
  for (const double x : e) mean += x / static_cast<double>(e.size());
  for (const double x : e) variance += (x - mean) * (x - mean) / static_cast<double>(e.size());
  const auto& expected = table.at("m_v_xi_sigma");
  check_near(mean, expected[0]);
  check_near(variance, expected[1]);
  const TailShape shape = fit_tail(mean, variance);
  check_near(shape.xi, expected[2]);
  check_near(shape.sigma, expected[3]);
  const double u = table.at("u_N")[0], rows = table.at("u_N")[1];
  const double peaks = static_cast<double>(e.size());
  check_near(u + tail_excess(shape, 1e-3 * rows / peaks), table.at("z_0.001")[0]);
  check_near(u + tail_excess(shape, 1e-4 * rows / peaks), table.at("z_0.0001")[0]);
  check_near(u + tail_excess(shape, 1e-5 * rows / peaks), table.at("z_1e-05")[0]);
}

TEST_CASE("tails without spread or without curvature have their limits") {
  CHECK(fit_tail(2, 0).xi == -0.5);
  CHECK(fit_tail(1, 1).xi == 0);
  CHECK(tail_excess({0, 2}, 0.01) == Approx(2 * std::log(100)));
  CHECK(tail_excess({1e-7, 2}, 0.01) == Approx(2 * std::log(100)).epsilon(1e-5));
}

TEST_CASE("levels start at 2.2 sqrt n and follow the ratios 1, 1.5, 2.2, 3.2") {
  Thresholds thresholds(36);
  CHECK(thresholds.values()[0] == Approx(13.2));
  CHECK(thresholds.values()[1] == Approx(19.8));
  CHECK(thresholds.values()[2] == Approx(29.04));
  CHECK(thresholds.values()[3] == Approx(42.24));
  double now = 0;
  const auto step = [&](double s) { return thresholds.step(s, now += 0.1, 0.1, true); };
  CHECK(step(13.1) == 0);
  CHECK(step(13.3) == 1);
  CHECK(step(20) == 2);
  CHECK(step(50) == 4);
}

TEST_CASE("a level is left only after two seconds below 0.8 of its threshold") {
  Thresholds thresholds(36);
  double now = 0;
  const auto hold = [&](double s, double seconds) {
    int level = 0;
    for (const double until = now + seconds; now < until - 1e-9;) level = thresholds.step(s, now += 0.1, 0.1, true);
    return level;
  };
  CHECK(hold(14, 0.1) == 1);
  CHECK(hold(10.7, 60) == 1);  // 0.8 * 13.2 = 10.56: still carried
  CHECK(hold(10.4, 1.9) == 1);
  CHECK(hold(10.7, 0.1) == 1);  // the two seconds start again
  CHECK(hold(10.4, 1.9) == 1);
  CHECK(hold(10.4, 0.3) == 0);
  CHECK(hold(60, 0.1) == 4);
  CHECK(hold(17, 1.9) == 4);
  CHECK(hold(17, 0.3) == 2);  // 0.8 * 19.8 = 15.84: level 2 is still carried
  CHECK(hold(0, 2.2) == 0);
}

TEST_CASE("a fixed threshold from configuration replaces the adaptive one") {
  Thresholds thresholds(36);
  thresholds.fix(100);
  CHECK(thresholds.step(99, 0.1, 0.1, true) == 0);
  CHECK(thresholds.step(101, 0.2, 0.1, true) == 1);
}

// A score with an exponential tail of scale 1.76 above 5.28: independent bursts of 1 s, on average one per 20 s.
TEST_CASE("after hours of normal time the first threshold is where the machine itself gets once a day") {
  Thresholds thresholds(16);
  std::mt19937_64 random(6);
  std::exponential_distribution<double> excess(0.5);
  std::uniform_real_distribution<double> uniform;
  double now = 0, burst = 0, burst_until = 0;
  int alarms = 0, level = 0;
  constexpr double kHours = 48;
  while (now < kHours * 3600) {
    now += 0.5;
    if (now >= burst_until && uniform(random) < 0.025) {
      burst = 5.28 + 0.88 * excess(random);
      burst_until = now + 1;
    }
    const double score = now < burst_until ? burst : 2.64 + 0.88 * uniform(random);
    const int next = thresholds.step(score, now, 0.5, true);
    if (next > 0 && level == 0 && now > 4 * 3600) ++alarms;
    level = next;
  }
  // Truth: 5.28 + 1.76 ln(4320) = 20, within the clamp of 6.4..22 for n = 16.
  CHECK(thresholds.values()[0] > 16.7);
  CHECK(thresholds.values()[0] <= 22);
  CHECK(alarms <= 8);
}

TEST_CASE("a quiet machine's threshold falls, but never below 1.6 sqrt n") {
  Thresholds thresholds(16);
  std::mt19937_64 random(8);
  std::uniform_real_distribution<double> uniform;
  for (double now = 0; now < 4 * 3600; now += 0.5) thresholds.step(3 + uniform(random), now, 0.5, true);
  CHECK(thresholds.values()[0] == Approx(6.4));
}

TEST_CASE("where the threshold has moved to survives a restart, and what is no tail is refused") {
  Thresholds first(16), second(16);
  std::mt19937_64 random(8);
  std::uniform_real_distribution<double> uniform;
  for (double now = 0; now < 4 * 3600; now += 0.5) first.step(3 + uniform(random), now, 0.5, true);
  const TailEvidence evidence = first.evidence();
  REQUIRE(second.resume(evidence));
  CHECK(second.step(3, 0.5, 0.5, true) == 0);
  CHECK(second.values()[0] == first.values()[0]);
  CHECK(second.values()[0] < Thresholds(16).values()[0]);
  CHECK(Thresholds(16).resume(TailEvidence{}));  // of a first hour
  const auto refuses = [&](auto damage) {
    TailEvidence bad = evidence;
    damage(bad);
    return !Thresholds(16).resume(bad);
  };
  CHECK(refuses([](TailEvidence& e) { e.normal_seconds = -1; }));
  CHECK(refuses([](TailEvidence& e) { e.excursions = __builtin_inf(); }));
  CHECK(refuses([](TailEvidence& e) { e.variance = -1e-3; }));
  CHECK(refuses([](TailEvidence& e) { e.mean = __builtin_nan(""); }));
  CHECK(refuses([](TailEvidence& e) { e.scores = 3; }));
  CHECK(refuses([](TailEvidence& e) { e.scores += 1; }));
  CHECK(refuses([](TailEvidence& e) { e.heights[2] = e.heights[4] + 1; }));
  CHECK(refuses([](TailEvidence& e) { e.positions[3] = e.positions[2]; }));
}

TEST_CASE("time under an action teaches the threshold nothing") {
  PeaksOverThreshold tail;
  for (double now = 0; now < 4 * 3600; now += 0.5)
    tail.add(static_cast<int>(now) % 20 == 0 ? 9 : 1, now, 0.5, false, false);
  CHECK(tail.level() == 0);
  CHECK(tail.excursions() == 0);
}
