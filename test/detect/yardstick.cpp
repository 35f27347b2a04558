#include "detect/yardstick.h"

#include <cmath>
#include <memory>
#include <random>

#include "detect/detector.h"
#include "test/catch.h"

using namespace hosa::detect;

namespace {

// A machine that does nothing but commit a journal: now and then somebody waits for one request, for `commit_rows`
// rows.
struct Idle {
  static constexpr std::size_t kMost = 30, kWait = 4;
  std::size_t n;
  Dimension table[kMost];
  std::unique_ptr<Detector> detector;
  std::mt19937 random{11};
  double now = 0;
  int until_commit = 50, left = 0, rows_above = 0;
  explicit Idle(std::size_t dimensions = 12) : n(dimensions) {
    for (Dimension& d : table) d = {"x", "1", Kind::fraction, 1, 1, 0.01, Resource::cpu, false};
    table[kWait] = {"io_wait", "share", Kind::share, 1, 1, 0.09, Resource::io, false};
    detector = std::make_unique<Detector>(std::span(table).first(n));
    detector->begin(300);
  }
  void run(double seconds, int every_rows, int commit_rows) {
    rows_above = 0;
    for (const double end = now + seconds; now < end; now += 0.1) {
      double reading[kMost];
      for (double& x : reading) x = std::normal_distribution<double>(0, 0.01)(random);
      if (--until_commit <= 0) {
        until_commit = every_rows;
        left = commit_rows;
      }
      reading[kWait] = left-- > 0 ? 1 : 0;
      rows_above += detector->step(std::span(reading).first(n), now, true).level > 0;
    }
  }
};

Triangle<double> diagonal(double first, double second) {
  Triangle<double> c;
  c[0][0] = first;
  c[1][1] = second;
  return c;
}

// A yardstick settled on a metric of two dimensions.
struct Settled {
  Vector floors{};
  Mahalanobis metric{2};
  Yardstick yardstick;
  Settled(const Triangle<double>& covariance, double floor) {
    Floats floor_squared{};
    floors[0] = floors[1] = floor;
    floor_squared[0] = floor_squared[1] = static_cast<float>(floor);
    REQUIRE(metric.rebuild(covariance, 0, floors));
    yardstick.settle(metric, floor_squared);
  }
};

}  // namespace

TEST_CASE("waits for one request as the warm-up had them are no alarm after an hour of fewer of them") {
  Idle idle;
  idle.run(310, 150, 6);
  CHECK(idle.rows_above == 0);
  idle.run(3600, 1200, 6);
  CHECK(idle.rows_above == 0);
}

TEST_CASE("where a wait of half a second is usual, one without end is told within seconds") {
  Idle idle(30);
  idle.run(310, 1000, 6);
  idle.run(600, 1000, 6);
  CHECK(idle.rows_above == 0);
  idle.until_commit = 1;
  idle.run(20, 1200, 200);
  CHECK(idle.rows_above > 150);
  CHECK(idle.detector->verdict().channel != Channel::none);
}

TEST_CASE("a jump in the very first row after the warm-up alone is no alarm") {
  Idle idle;
  while (idle.detector->verdict().warming) idle.run(0.05, 1 << 20, 0);
  idle.until_commit = 1;
  idle.run(0.05, 1 << 20, 1);
  CHECK(idle.detector->verdict().tempered > idle.detector->verdict().thresholds[0]);
  CHECK(idle.rows_above == 0);
}

TEST_CASE(
    "a level asks for the spread of the warm-up where the metric has grown finer, and for the present one where "
    "coarser") {
  Settled settled(diagonal(4, 4), 1e-4);
  auto& [floors, metric, yardstick] = settled;
  REQUIRE(metric.rebuild(diagonal(1, 16), 0, floors));
  yardstick.renew(metric, 1);
  const double d[] = {2, 8};
  Vector w, u, v, c;
  metric.distance(d, w, u, c);
  CHECK(u[0] == Approx(2).epsilon(1e-3));
  const double size = yardstick.measure(metric, std::span(w).first(2), v);
  CHECK(v[0] == Approx(1).epsilon(1e-3));
  CHECK(v[1] == Approx(2).epsilon(1e-3));
  CHECK(size == Approx(std::sqrt(5.0)).epsilon(1e-3));
}

TEST_CASE("no spread is taken for less than twice the metric's floor, and one that stays finer for a day is believed") {
  Settled settled(diagonal(0, 4), 1e-2);
  auto& [floors, metric, yardstick] = settled;
  CHECK(yardstick.finest()[0] == Approx(0.2).epsilon(1e-3));
  REQUIRE(metric.rebuild(diagonal(0, 0.09), 0, floors));
  for (int second = 0; second < 90000; ++second) yardstick.renew(metric, 1);
  CHECK(yardstick.finest()[1] == Approx(0.316 + (2 - 0.316) * std::exp(-1)).epsilon(0.02));
}

TEST_CASE("what a level asks for survives a restart") {
  Idle idle, again;
  idle.run(1300, 150, 6);
  auto baseline = std::make_unique<Baseline>();
  idle.detector->save(*baseline);
  CHECK(baseline->finest[Idle::kWait] > 0);
  REQUIRE(again.detector->restore(*baseline));
  auto kept = std::make_unique<Baseline>();
  again.detector->save(*kept);
  CHECK(kept->finest == baseline->finest);
  baseline->finest[1] = -1;
  CHECK_FALSE(again.detector->restore(*baseline));
}

// Open files as the kernel counts them: each CPU keeps up to 32 to itself.
TEST_CASE("the first step of a number that is counted by 32 is level 0, many of them are not; so after a restart") {
  const auto level_of = [](double scale, double files, bool restarted) {
    constexpr std::size_t kN = 12;
    Dimension table[kN];
    for (Dimension& d : table) d = {"x", "1", Kind::fraction, 1, 1, 0.01, Resource::cpu, false};
    table[3] = {"open_files", "1", Kind::number, scale, 1, 0.03, Resource::tasks, false};
    auto detector = std::make_unique<Detector>(table);
    detector->begin(300);
    std::mt19937 random{7};
    double now = 0;
    const auto run = [&](double seconds, double open) {
      int highest = 0;
      for (const double end = now + seconds; now < end; now += 0.1) {
        double reading[kN];
        for (double& x : reading) x = std::normal_distribution<double>(0, 0.01)(random);
        reading[3] = open;
        highest = std::max(highest, detector->step(reading, now, true).level);
      }
      return highest;
    };
    run(400, 64);
    if (restarted) {
      auto baseline = std::make_unique<Baseline>();
      detector->save(*baseline);
      detector = std::make_unique<Detector>(table);
      REQUIRE(detector->restore(*baseline));
    }
    return run(20, files);
  };
  CHECK(level_of(1, 96, false) > 0);
  CHECK(level_of(32, 96, false) == 0);
  CHECK(level_of(32, 96, true) == 0);
  CHECK(level_of(32, 640, false) > 0);
}
