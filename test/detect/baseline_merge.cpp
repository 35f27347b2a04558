#include "detect/baseline_merge.h"

#include <cmath>
#include <memory>
#include <random>

#include "test/catch.h"

using namespace hosa::detect;

namespace {
const Dimension kOld[] = {
    {"busy", "share", Kind::share, 1, 1, 0.03, Resource::cpu, true},
    {"free", "1", Kind::fraction, 1, -1, 0.005, Resource::memory, false},
    {"forks", "1/s", Kind::rate, 10, 1, 0.15, Resource::tasks, true},
};
// `free` has gone, `faults` has come, and the order is another one.
const Dimension kNew[] = {kOld[2], {"faults", "1/s", Kind::rate, 500, 1, 0.15, Resource::memory, true}, kOld[0]};
constexpr Places kPlaces{2, -1, 0};

// Two loads behind three or four figures, so that the dimensions move together.
struct Machine {
  std::mt19937_64 random{5};
  double now = 0, totals[4] = {};
  void pass(double seconds) {
    std::normal_distribution<double> noise(0, 1);
    const double load = noise(random), other = noise(random);
    now += seconds;
    totals[0] += seconds * std::max(0.0, 0.3 + 0.05 * load);
    totals[1] = 0.5 - 0.01 * load + 0.005 * other;
    totals[2] += seconds * std::max(0.0, 20 + 4 * load + 2 * other);
    totals[3] += seconds * std::max(0.0, 900 + 200 * load + 60 * other);
  }
};

void learn(Detector& detector, Machine& machine, double seconds, bool old) {
  for (double passed = 0; passed < seconds; passed += 0.1) {
    machine.pass(0.1);
    const double three[] = {machine.totals[0], machine.totals[1], machine.totals[2]};
    const double anew[] = {machine.totals[2], machine.totals[3], machine.totals[0]};
    (void)detector.step(old ? three : anew, machine.now, true);
  }
}
}  // namespace

TEST_CASE("a dimension that is gone leaves the others' normal as it was") {
  Machine machine;
  auto first = std::make_unique<Detector>(kOld);
  first->begin(60);
  learn(*first, machine, 120, true);
  auto stored = std::make_unique<Baseline>(), merged = std::make_unique<Baseline>();
  first->save(*stored);
  merge_baselines(*stored, Baseline{}, Places{0, 2}, 2, true, *merged);
  CHECK(merged->n == 2);
  CHECK(merged->mean[1] == stored->mean[2]);
  CHECK(merged->tail[1] == stored->tail[2]);
  CHECK(merged->tail[1] >= 1);
  CHECK(merged->covariance[1][0] == stored->covariance[2][0]);
  CHECK(merged->covariance[1][1] == stored->covariance[2][2]);
  const Dimension two[] = {kOld[0], kOld[2]};
  CHECK(Detector(two).restore(*merged));
}

TEST_CASE("a dimension that is new is learned in a short warm-up and the others keep what they knew") {
  Machine machine;
  auto first = std::make_unique<Detector>(kOld);
  first->begin(300);
  learn(*first, machine, 600, true);
  auto stored = std::make_unique<Baseline>(), fresh = std::make_unique<Baseline>(),
       merged = std::make_unique<Baseline>();
  first->save(*stored);

  auto second = std::make_unique<Detector>(kNew);
  second->begin(20);
  learn(*second, machine, 30, false);
  REQUIRE_FALSE(second->verdict().warming);
  second->save(*fresh);
  merge_baselines(*stored, *fresh, kPlaces, 3, true, *merged);
  CHECK(merged->tail[1] == fresh->tail[1]);
  CHECK(merged->learned_seconds == stored->learned_seconds);
  CHECK(merged->effective_samples == std::min(stored->effective_samples, fresh->effective_samples));
  CHECK(merged->scale.spread[0] == stored->scale.spread[2]);
  CHECK(merged->scale.spread[1] == fresh->scale.spread[1]);
  CHECK(merged->covariance[2][0] == stored->covariance[2][0]);
  CHECK(merged->covariance[2][2] == stored->covariance[0][0]);
  // What was learned of the new one together with an old one is the same in the old one's units.
  const double units = fresh->scale.spread[0] / stored->scale.spread[2];
  CHECK(merged->covariance[1][0] == Approx(fresh->covariance[1][0] * units));
  REQUIRE(second->restore(*merged));
  learn(*second, machine, 60, false);
  CHECK(second->verdict().level == 0);
  CHECK(second->verdict().smoothed < 2.5 * std::sqrt(3.0));
}

TEST_CASE("old and new that do not go together are merged apart") {
  Baseline stored, fresh, merged;
  stored.n = fresh.n = 2;
  stored.learned_seconds = fresh.learned_seconds = 100;
  stored.effective_samples = fresh.effective_samples = 1e6;
  for (int i = 0; i < 2; ++i)
    stored.scale.spread[i] = fresh.scale.spread[i] = stored.covariance[i][i] = fresh.covariance[i][i] = 1;
  fresh.covariance[1][0] = 40;  // no covariance has that
  const Places place{0, -1};
  merge_baselines(stored, fresh, place, 2, true, merged);
  CHECK_FALSE(Detector(std::span(kOld, 2)).restore(merged));
  merge_baselines(stored, fresh, place, 2, false, merged);
  CHECK(merged.covariance[1][0] == 0);
  CHECK(Detector(std::span(kOld, 2)).restore(merged));
}
