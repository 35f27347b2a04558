#include "detect/detector.h"

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "detect/arithmetic.h"
#include "test/catch.h"

using namespace hosa::detect;

namespace {
const Dimension kMachine[] = {
    {"wakeups", "1/s", Kind::rate, 500, 1, 0.15, Resource::cpu, true},
    {"forks", "1/s", Kind::rate, 10, 1, 0.15, Resource::tasks, true},
    {"faults", "1/s", Kind::rate, 500, 1, 0.15, Resource::memory, true},
    {"busy", "share", Kind::share, 1, 1, 0.03, Resource::cpu, true},
    {"available", "1", Kind::fraction, 1, -1, 0.005, Resource::memory, false},
    {"running", "1", Kind::count, 1, 1, 0.2, Resource::tasks, false},
    {"sockets", "1", Kind::number, 1, 1, 0.03, Resource::network, false},
    {"retransmits", "1/s", Kind::rate, 10, 1, 0.6, Resource::network, true},
};
constexpr std::size_t kN = std::size(kMachine);

// A quiet machine: Poisson arrivals on the totals, slow small wander on the levels.
struct Machine {
  std::mt19937_64 random{11};
  double totals[kN] = {};
  double now = 1000, available = 0.6, sockets = 200;
  double fork_rate = 4, leak_per_second = 0;

  void pass(double seconds) {
    now += seconds;
    const auto arrive = [&](std::size_t j, double rate) {
      totals[j] += static_cast<double>(std::poisson_distribution<int>(rate * seconds)(random));
    };
    arrive(0, 800);
    arrive(1, fork_rate);
    arrive(2, 1500);
    totals[3] += static_cast<double>(std::poisson_distribution<int>(30 * seconds)(random)) / 100;
    available += std::normal_distribution<double>(0, 2e-4 * std::sqrt(seconds))(random) - leak_per_second * seconds;
    available += (0.6 - available) * (leak_per_second > 0 ? 0 : 0.05 * seconds);
    totals[4] = available;
    totals[5] = static_cast<double>(std::poisson_distribution<int>(1)(random));
    totals[6] = sockets;
  }
};

struct Rig {
  std::unique_ptr<Detector> detector = std::make_unique<Detector>(kMachine);
  Machine machine;
  int highest_level = 0;
  explicit Rig(double warmup = 300) { detector->begin(warmup); }
  // Polls for so long; answers the mean distance.
  double run(double seconds, double step, bool learn = true) {
    double sum = 0;
    int count = 0;
    for (double passed = 0; passed < seconds - 1e-9; passed += step, ++count) {
      machine.pass(step);
      const Verdict& verdict = detector->step(machine.totals, machine.now, learn);
      sum += verdict.distance;
      highest_level = std::max(highest_level, verdict.level);
    }
    return sum / count;
  }
};
}  // namespace

TEST_CASE(
    "changing the polling from 0.5 s to 10 ms and back on quiet data never raises the distance by more than 10 %") {
  for (const double fast_seconds : {10.0, 60.0}) {
    Rig rig;
    rig.run(301, 0.5);
    REQUIRE_FALSE(rig.detector->verdict().warming);
    rig.run(60, 0.5);
    const double before = rig.run(300, 0.5);
    const double during = rig.run(fast_seconds, 0.01);
    const double after = rig.run(60, 0.5);
    const double later = rig.run(300, 0.5);
    INFO("mean distance before " << before << " at 10 ms " << during << " after " << after << " later " << later);
    CHECK(during <= 1.1 * before);
    CHECK(after <= 1.1 * before);
    CHECK(later <= 1.1 * before);
    CHECK(rig.highest_level == 0);
  }
}

TEST_CASE("the distance of a quiet machine is about the square root of its dimensions") {
  for (const double step : {0.1, 0.5}) {
    Rig rig;
    rig.run(301, step);
    const double mean = rig.run(300, step);
    INFO("step " << step << " mean " << mean);
    CHECK(mean > 0.6 * std::sqrt(kN));
    CHECK(mean < 1.3 * std::sqrt(kN));
    CHECK(rig.highest_level == 0);
  }
}

TEST_CASE("hours of quiet do not narrow the normal") {
  Rig rig;
  rig.run(301, 0.5);
  const double early = rig.run(600, 0.5);
  rig.run(4 * 3600, 0.5);
  const double late = rig.run(600, 0.5);
  INFO("mean distance early " << early << " after four hours " << late);
  CHECK(late < 1.15 * early);
  CHECK(late > 0.85 * early);
}

// The machine stops for so long, and the one reading that comes then is far off in one dimension.
TEST_CASE("one reading is not worth more for having come late") {
  const auto level_after = [](double pause) {
    constexpr std::size_t kWide = 12;
    Dimension table[kWide];
    for (Dimension& d : table) d = {"x", "1", Kind::fraction, 1, 1, 0.01, Resource::cpu, false};
    auto detector = std::make_unique<Detector>(table);
    detector->begin(300);
    std::mt19937 random{5};
    double now = 0;
    const auto step = [&](double passed, double off) {
      double reading[kWide];
      for (double& x : reading) x = std::normal_distribution<double>(0, 0.01)(random);
      reading[3] += off;
      return detector->step(reading, now += passed, true).level;
    };
    for (int i = 0; i < 3600; ++i) step(0.1, 0);
    int highest = step(pause, 0.12);
    for (int i = 0; i < 20; ++i) highest = std::max(highest, step(0.1, 0));
    return highest;
  };
  CHECK(level_after(0.1) == 0);
  CHECK(level_after(0.5) == 0);
  CHECK(level_after(3) == 0);
}

TEST_CASE("a reading that is a mean over minutes is taken as it is, also after a new beginning") {
  Rig smoothed, means;
  for (Rig* rig : {&smoothed, &means}) {
    if (rig == &means) rig->detector->take_means(), rig->detector->begin(300);
    rig->run(400, 0.1);
    rig->machine.sockets = 2000;
    rig->run(0.1, 0.1);
  }
  CHECK(means.detector->verdict().distance > 1.5 * smoothed.detector->verdict().distance);
}

TEST_CASE("a step in one dimension names that dimension first") {
  const auto expect_first = [](std::size_t index, auto disturb) {
    Rig rig;
    rig.run(360, 0.1);
    disturb(rig.machine);
    rig.run(3, 0.1);
    const Verdict& verdict = rig.detector->verdict();
    INFO(kMachine[index].name << ", got " << kMachine[verdict.top[0]].name);
    CHECK(verdict.top[0] == index);
    CHECK(verdict.level >= 1);
    CHECK(verdict.contribution[verdict.top[0]] >= verdict.contribution[verdict.top[1]]);
    CHECK(verdict.contribution[verdict.top[1]] >= verdict.contribution[verdict.top[2]]);
    double sum = 0;
    for (std::size_t j = 0; j < verdict.n; ++j) sum += verdict.contribution[j];
    CHECK(sum == Approx(verdict.distance * verdict.distance));
  };
  expect_first(1, [](Machine& m) { m.fork_rate = 400; });
  expect_first(4, [](Machine& m) { m.leak_per_second = 0.02; });
  expect_first(6, [](Machine& m) { m.sockets = 400; });  // stood still all through the warm-up
}

TEST_CASE("load direction is positive under load and negative in silence") {
  Rig rig;
  rig.run(360, 0.1);
  rig.machine.leak_per_second = 0.02;
  rig.machine.fork_rate = 300;
  rig.run(3, 0.1);
  CHECK(rig.detector->verdict().load_direction > 1);
}

TEST_CASE("readings that are no numbers, old or of the wrong size are rejected, counted and not learned") {
  Rig rig;
  rig.run(310, 0.1);
  Verdict before = rig.detector->verdict();
  const double mean = rig.detector->moments().mean[2];
  double bad[kN];
  std::copy(std::begin(rig.machine.totals), std::end(rig.machine.totals), bad);
  bad[2] = NAN;
  bad[5] = INFINITY;
  const double now = rig.machine.now;
  CHECK(rig.detector->step(bad, now + 0.1, true).rejection == Rejection::not_finite);
  CHECK(rig.detector->last_rejected(0).dimension == 2);
  CHECK(rig.detector->step(rig.machine.totals, now - 5, true).rejection == Rejection::older);
  CHECK(rig.detector->step(rig.machine.totals, now, true).rejection == Rejection::older);
  CHECK(rig.detector->step(rig.machine.totals, NAN, true).rejection == Rejection::not_finite);
  CHECK(rig.detector->step(std::span(bad).first(3), now + 0.1, true).rejection == Rejection::wrong_size);
  CHECK(rig.detector->rejected(Rejection::not_finite) == 2);
  CHECK(rig.detector->rejected(Rejection::older) == 2);
  CHECK(rig.detector->rejected(Rejection::wrong_size) == 1);
  CHECK(rig.detector->last_rejected(0).reason == Rejection::wrong_size);
  CHECK(rig.detector->last_rejected(4).reason == Rejection::not_finite);
  CHECK(rig.detector->last_rejected(5).reason == Rejection::none);
  CHECK(rig.detector->verdict().distance == before.distance);
  CHECK(rig.detector->moments().mean[2] == mean);
  rig.run(0.1, 0.1);
  CHECK(rig.detector->verdict().rejection == Rejection::none);
}

TEST_CASE("nothing is learned while an action is in force") {
  Rig rig;
  rig.run(310, 0.1);
  const double mean = rig.detector->moments().mean[1];
  const double variance = rig.detector->moments().covariance[1][1];
  rig.machine.fork_rate = 400;
  rig.run(30, 0.1, false);
  CHECK(rig.detector->verdict().level >= 1);
  CHECK(rig.detector->moments().mean[1] == mean);
  CHECK(rig.detector->moments().covariance[1][1] == variance);
}

TEST_CASE("an anomaly is learned more slowly than what is normal, and a plateau is calm again in the end") {
  Rig rig;
  rig.run(310, 0.1);
  const double mean = rig.detector->moments().mean[1];
  rig.machine.fork_rate = 400;
  rig.run(30, 0.1);
  CHECK(rig.detector->verdict().level >= 1);
  CHECK(rig.detector->verdict().regime.value > 0);
  CHECK((rig.detector->moments().mean[1] - mean) / (rig.detector->verdict().z[1] - mean) < 0.06);
  rig.run(3600, 0.5);
  CHECK(rig.detector->verdict().level == 0);
}

TEST_CASE("a level shift while an action is in force is still seen when it ends") {
  Rig rig;
  rig.run(310, 0.1);
  rig.machine.fork_rate = 400;
  rig.run(600, 0.1, false);
  rig.machine.fork_rate = 40;  // calmer than under the action, but not what was learned
  rig.run(5, 0.1, false);
  CHECK(rig.detector->verdict().top[0] == 1);
  CHECK(rig.detector->verdict().level >= 1);
  CHECK_FALSE(rig.detector->verdict().habituating);
}

// Bursts that come once a minute become part of a machine's tail in the end; they must not hide what is elsewhere.
TEST_CASE("two hours of bursts do not blind the detector") {
  Rig rig;
  rig.run(310, 0.1);
  const double variance = rig.detector->moments().covariance[1][1];
  int noticed = 0;
  for (int burst = 0; burst < 120; ++burst) {
    rig.machine.fork_rate = 400;
    rig.highest_level = 0;
    rig.run(10, 0.5);
    if (burst < 60 && rig.highest_level >= 1) ++noticed;
    rig.machine.fork_rate = 4;
    rig.run(50, 0.5);
    if (burst == 59) CHECK(rig.detector->moments().covariance[1][1] < 20 * variance);
  }
  CHECK(noticed == 60);  // until the tail has its hour of evidence
  rig.machine.leak_per_second = 0.02;
  rig.highest_level = 0;
  rig.run(4, 0.1);
  CHECK(rig.highest_level >= 1);
  CHECK(rig.detector->verdict().top[0] == 4);
}

TEST_CASE("a leak of 0.2 % a minute and a load that rises by 1 % a minute are reported as drift") {
  {
    Rig rig;
    rig.run(310, 0.5);
    rig.machine.leak_per_second = 0.002 / 60;
    double minutes = 0;
    for (; minutes < 120 && rig.detector->verdict().drift != 4; ++minutes) rig.run(60, 0.5);
    INFO("minutes " << minutes);
    CHECK(minutes < 90);
    CHECK(rig.detector->verdict().level >= 1);
  }
  Rig rig;
  rig.machine.fork_rate = 100;
  rig.run(310, 0.5);
  double growth = 1;
  for (; growth < 6 && rig.detector->verdict().drift != 1; growth *= 1.01) {
    rig.machine.fork_rate = 100 * growth;
    rig.run(60, 0.5);
  }
  INFO("grown to " << growth);
  CHECK(growth < 3);
}

TEST_CASE("a calm machine does not drift in six hours") {
  Rig rig;
  rig.run(310, 0.5);
  for (int minute = 0; minute < 360; ++minute) {
    rig.run(60, 0.5);
    REQUIRE(rig.detector->verdict().drift == Drift::kNone);
  }
}

TEST_CASE("warming up judges nothing and waits while an action is in force") {
  Rig rig(30);
  rig.run(20, 0.1);
  CHECK(rig.detector->verdict().warming);
  CHECK(rig.detector->verdict().distance == 0);
  CHECK(rig.detector->warmup_left_seconds() == Approx(10.2).margin(0.3));
  rig.run(60, 0.1, false);
  CHECK(rig.detector->verdict().warming);
  rig.run(11, 0.1);
  CHECK_FALSE(rig.detector->verdict().warming);
  CHECK(rig.detector->warmup_left_seconds() == 0);
}

TEST_CASE("a warm-up of no length still learns a few samples first") {
  Rig rig(0);
  rig.run(2, 0.1);
  CHECK_FALSE(rig.detector->verdict().warming);
  CHECK(is_finite(rig.detector->verdict().distance));
}

TEST_CASE("a baseline survives a restart and judges as before") {
  Rig first;
  first.run(400, 0.1);
  auto baseline = std::make_unique<Baseline>();
  first.detector->save(*baseline);
  auto second = std::make_unique<Detector>(kMachine);
  REQUIRE(second->restore(*baseline));
  CHECK_FALSE(second->verdict().warming);
  double mine = 0, theirs = 0;
  for (int i = 0; i < 300; ++i) {
    first.machine.pass(0.1);
    mine += first.detector->step(first.machine.totals, first.machine.now, true).distance;
    theirs += second->step(first.machine.totals, first.machine.now, true).distance;
  }
  CHECK(theirs == Approx(mine).epsilon(0.03));
}

TEST_CASE("a damaged baseline is refused and changes nothing") {
  Rig rig;
  rig.run(400, 0.1);
  auto good = std::make_unique<Baseline>();
  rig.detector->save(*good);
  const auto refuses = [&](auto damage) {
    auto bad = std::make_unique<Baseline>(*good);
    damage(*bad);
    auto detector = std::make_unique<Detector>(kMachine);
    const bool taken = detector->restore(*bad);
    CHECK(detector->verdict().warming == !taken);
    return !taken;
  };
  CHECK_FALSE(refuses([](Baseline&) {}));
  CHECK(refuses([](Baseline& b) { b.n = 7; }));
  CHECK(refuses([](Baseline& b) { b.n = 1000000; }));
  CHECK(refuses([](Baseline& b) { b.mean[3] = NAN; }));
  CHECK(refuses([](Baseline& b) { b.scale.spread[0] = 0; }));
  CHECK(refuses([](Baseline& b) { b.covariance[2][1] = INFINITY; }));
  CHECK(refuses([](Baseline& b) { b.covariance[2][2] = -1; }));
  CHECK(refuses([](Baseline& b) { b.covariance[2][1] = 1e6; }));  // no covariance has that
  CHECK(refuses([](Baseline& b) { b.learned_seconds = -1; }));
  CHECK(refuses([](Baseline& b) { b.effective_samples = NAN; }));
}

TEST_CASE("extreme but finite readings never make the verdict infinite") {
  Rig rig;
  rig.run(310, 0.1);
  for (const double value : {1e300, -1e300, std::numeric_limits<double>::max(), 0.0}) {
    double reading[kN];
    for (double& x : reading) x = value;
    rig.machine.now += 0.1;
    const Verdict& verdict = rig.detector->step(reading, rig.machine.now, true);
    CHECK(is_finite(verdict.distance));
    CHECK(is_finite(verdict.smoothed));
    CHECK(is_finite(verdict.load_direction));
  }
  rig.run(5, 0.1);
  CHECK(is_finite(rig.detector->verdict().distance));
}

TEST_CASE("the verdict says which channel raised the level, and the dimension of that channel leads") {
  Rig rig;
  rig.run(320, 0.1);
  REQUIRE(rig.detector->verdict().level == 0);
  CHECK(rig.detector->verdict().channel == Channel::none);
  Context context;
  context.share_dimension = 3;
  rig.detector->set_context(context);
  rig.run(0.1, 0.1);
  CHECK(rig.detector->verdict().level == 1);
  CHECK(rig.detector->verdict().channel == Channel::share);
  CHECK(rig.detector->verdict().top[0] == 3);
  context.share_dimension = kN;  // none of this table's
  rig.detector->set_context(context);
  rig.run(0.1, 0.1);
  CHECK(rig.detector->verdict().level == 0);
  rig.machine.fork_rate = 4000;
  rig.run(3, 0.1);
  CHECK(rig.detector->verdict().channel == Channel::distance);
  CHECK(std::string(channel_name(Channel::lasting)) == "lasting");
}
