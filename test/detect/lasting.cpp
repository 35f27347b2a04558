#include "detect/lasting.h"

#include <cmath>
#include <memory>
#include <random>

#include "detect/detector.h"
#include "test/catch.h"

using namespace hosa::detect;

namespace {

// 36 dimensions of white noise; the last jumps once in a while.
struct Crowd {
  static constexpr std::size_t kN = 36;
  Dimension table[kN];
  std::unique_ptr<Detector> detector;
  std::mt19937 random{4};
  double now = 0, shift = 0, rough = 1;
  bool alternates = false, followed = false;  // dimension 9 does what dimension 7 does but for the shift
  int levels = 0;
  double greatest = 0;
  Crowd() {
    for (Dimension& d : table) d = {"x", "1", Kind::fraction, 1, 1, 0.005, Resource::cpu, false};
    detector = std::make_unique<Detector>(table);
    detector->begin(300);
  }
  void run(double seconds) {
    levels = 0;
    greatest = 0;
    for (const double end = now + seconds; now < end; now += 0.1) {
      double reading[kN];
      for (double& x : reading) x = rough * std::normal_distribution<double>(0, 0.1)(random);
      if (std::uniform_real_distribution<double>()(random) < 0.004) reading[kN - 1] += 3;
      if (followed) reading[9] = reading[7] + 0.15 * reading[9];
      reading[7] += alternates && static_cast<int>(now) % 2 == 1 ? -shift : shift;
      const Verdict& verdict = detector->step(reading, now, true);
      levels += verdict.level > 0;
      if (!verdict.warming) greatest = std::max(greatest, verdict.lasting);
    }
  }
};

}  // namespace

TEST_CASE("what lasts in one dimension of many is level 1 and that dimension leads, long before the distance says so") {
  Crowd crowd;
  crowd.run(600);
  CHECK(crowd.levels == 0);
  CHECK(crowd.greatest < 4);
  crowd.shift = 0.65;
  crowd.run(4);
  CHECK(crowd.levels > 20);
  CHECK(crowd.detector->verdict().top[0] == 7);
  CHECK(crowd.detector->verdict().smoothed < crowd.detector->verdict().thresholds[0]);
}

TEST_CASE("what is halfway unusual by the distance and by one dimension that lasts is level 1 together, not alone") {
  int levels[4];
  for (const int both : {0, 1, 2, 3}) {
    Crowd crowd;
    crowd.run(600);
    if (both & 1) crowd.shift = 0.32;
    if (both & 2) crowd.rough = 1.8;
    crowd.run(4);
    levels[both] = crowd.levels;
    CHECK(crowd.greatest < 6);
    CHECK(crowd.detector->verdict().smoothed < crowd.detector->verdict().thresholds[0]);
  }
  CHECK(levels[0] == 0);
  CHECK(levels[1] == 0);
  CHECK(levels[2] == 0);
  CHECK(levels[3] > 10);
}

TEST_CASE("who was left behind does not lead: the dimension that moved does") {
  Crowd crowd;
  crowd.followed = true;
  crowd.run(600);
  crowd.shift = 0.5;
  for (int tenth = 0; tenth < 60 && crowd.detector->verdict().level == 0; ++tenth) crowd.run(0.05);
  REQUIRE(crowd.detector->verdict().channel == Channel::lasting);
  const Verdict& verdict = crowd.detector->verdict();
  CHECK(std::fabs(verdict.u[9]) > 6);
  CHECK(verdict.top[0] == 7);
}

TEST_CASE("a deviation that changes its sign each second does not last") {
  Crowd steady, alternating;
  steady.run(310);
  alternating.run(310);
  steady.shift = alternating.shift = 0.5;
  alternating.alternates = true;
  steady.run(10);
  alternating.run(10);
  CHECK(alternating.greatest < 0.8 * steady.greatest);
}

TEST_CASE("how far each dimension wanders survives a restart; where it is not known the distance alone decides") {
  Crowd first;
  first.run(400);
  auto baseline = std::make_unique<Baseline>();
  first.detector->save(*baseline);
  CHECK(baseline->reach[7] > 0.3);
  CHECK(baseline->reach[Crowd::kN - 1] > 1.2 * baseline->reach[7]);
  Crowd knows, forgot;
  REQUIRE(knows.detector->restore(*baseline));
  baseline->reach[7] = 0;
  REQUIRE(forgot.detector->restore(*baseline));
  knows.shift = forgot.shift = 0.65;
  knows.run(4);
  forgot.run(4);
  CHECK(knows.levels > 20);
  CHECK(forgot.levels == 0);
  baseline->reach[7] = -1;
  CHECK_FALSE(forgot.detector->restore(*baseline));
}

TEST_CASE("one reading of a count does not last, two do; of what was measured since the last reading one may") {
  const Dimension caught[] = {{"x", "1", Kind::count, 1, 1, 0.2, Resource::cpu, false}};
  const Dimension measured[] = {{"x", "share", Kind::share, 1, 1, 0.03, Resource::cpu, true}};
  Lasting lasting(caught), whole(measured);
  Vector reach{};
  reach[0] = 1;
  lasting.set_reach(reach);
  whole.set_reach(reach);
  const double calm[] = {0}, far[] = {33};
  whole.add(far, 0.5);
  CHECK(whole.most() > 6);
  lasting.add(calm, 0.5);
  lasting.add(far, 0.5);
  CHECK(lasting.most() < 4);
  lasting.add(calm, 0.5);
  CHECK(lasting.most() < 4);
  lasting.add(far, 0.5);
  lasting.add(far, 0.5);
  CHECK(lasting.most() > 6);
}

TEST_CASE("M is the largest smoothed innovation by its own reach, and at least a Gaussian's") {
  const Dimension shares[2] = {{"x", "share", Kind::share, 1, 1, 0.03, Resource::cpu, true},
                               {"y", "share", Kind::share, 1, 1, 0.03, Resource::cpu, true}};
  Lasting lasting(shares);
  Vector reach{};
  reach[0] = 4;
  reach[1] = 0.1;
  lasting.set_reach(reach);
  const double u[] = {8, -1};
  for (int i = 0; i < 200; ++i) lasting.add(u, 0.1);
  CHECK(lasting.which() == 0);
  CHECK(lasting.most() == Approx(2));
  const double v[] = {0, -4};
  for (int i = 0; i < 200; ++i) lasting.add(v, 0.1);
  CHECK(lasting.which() == 1);
  CHECK(lasting.most() == Approx(4 / Lasting::kLeast));
}

TEST_CASE(
    "what flows and stands at 4 spreads for seconds is at the limit, a stock at 5: it stays where one event put it") {
  const Dimension dimensions[] = {{"flow", "1/s", Kind::rate, 10, 1, 0.15, Resource::tasks, true},
                                  {"wait", "share", Kind::share, 1, 1, 0.03, Resource::io, true},
                                  {"memory", "1", Kind::fraction, 1, -1, 0.005, Resource::memory, false},
                                  {"sockets", "1", Kind::number, 1, 1, 0.03, Resource::network, false},
                                  {"order", "share", Kind::share, 1, -1, 0.05, Resource::memory, false}};
  for (const std::size_t i : {0, 1, 2, 3, 4}) {
    Lasting lasting(dimensions);
    Vector reach{};
    reach.fill(8);  // each is usual for a second
    lasting.set_reach(reach);
    double u[std::size(dimensions)] = {};
    u[i] = i < 2 ? 4 : -5;
    for (int k = 0; k < 400; ++k) lasting.add(u, 0.1);
    CHECK(lasting.standing() == Approx(6).epsilon(1e-4));
    CHECK(lasting.most() < 1);
    CHECK(lasting.which() == i);
  }
}
