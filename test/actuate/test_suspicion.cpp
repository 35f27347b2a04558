#include "actuate/suspicion.h"
#include "test/catch.h"

using namespace hosa;

namespace {
constexpr double kMega = 1024 * 1024;
constexpr uint64_t kLeaker = 7, kInnocent = 3, kOther = 11;

// Calm generations for ten seconds, then a fault that begins at second 10.
UseHistory calm_history() {
  UseHistory history;
  for (double t = 0; t <= 10; t += 2) {
    const UnitUse uses[] = {{kLeaker, 20 * kMega, 1, 1}, {kInnocent, 300 * kMega, 50, 1}, {kOther, 5 * kMega, 0, 1}};
    history.remember(t, uses);
  }
  return history;
}
}  // namespace

TEST_CASE("what a culprit grew by outside of its processes is told apart from what it had there before, by kind") {
  UseHistory history;
  const UnitUse calm[] = {{kLeaker, 220 * kMega, 0, 1, 200 * kMega, 7 * kMega}};
  history.remember(0, calm);
  Suspicion suspicion;
  (void)suspicion.raise(Cause::tripwire, 1, 1);
  const UnitUse now[] = {{kLeaker, 260 * kMega, 0, 1, 230 * kMega, 8 * kMega}};
  const Finding finding = suspicion.look(Carrier::memory, 1, now, history, 1);
  CHECK(finding.shared_growth == Approx(30 * kMega));
  CHECK(finding.most_of_shared);
  CHECK(finding.kernel_growth == Approx(1 * kMega));
  const UnitUse beside[] = {
      now[0], {kInnocent, 40 * kMega, 0, 1, 0, 3 * kMega}, {kOther, 31 * kMega, 0, 1, 31 * kMega}};
  const Finding shared = suspicion.look(Carrier::memory, 1.2, beside, history, 1);
  CHECK_FALSE(shared.most_of_shared);
}

TEST_CASE("the culprit is who grew since onset, not who is biggest") {
  const UseHistory history = calm_history();
  Suspicion suspicion;
  suspicion.raise(Cause::tripwire, 10.0, 10.0);
  const UnitUse first[] = {{kLeaker, 21 * kMega, 1, 1}, {kInnocent, 300 * kMega, 50, 1}, {kOther, 5 * kMega, 0, 1}};
  CHECK_FALSE(suspicion.look(Carrier::memory, 10.01, first, history, 4 * kMega).confirmed);
  const UnitUse second[] = {{kLeaker, 31 * kMega, 1, 1}, {kInnocent, 301 * kMega, 52, 1}, {kOther, 5 * kMega, 0, 1}};
  const Finding finding = suspicion.look(Carrier::memory, 10.21, second, history, 4 * kMega);
  CHECK(finding.confirmed);
  CHECK(finding.unit == kLeaker);
  CHECK(finding.runner_up == kInnocent);
  CHECK(finding.share == Approx(11.0 / 12));
  CHECK(finding.growth_per_s == Approx(10 * kMega / 0.2));
}

TEST_CASE("nobody is named when nobody explains half") {
  const UseHistory history = calm_history();
  Suspicion suspicion;
  suspicion.raise(Cause::horizon, 10.0, 10.0);
  const UnitUse uses[] = {{kLeaker, 40 * kMega, 1, 1}, {kInnocent, 320 * kMega, 50, 1}, {kOther, 25 * kMega, 0, 1}};
  suspicion.look(Carrier::memory, 10.0, uses, history, 0);
  const Finding finding = suspicion.look(Carrier::memory, 10.5, uses, history, 0);
  CHECK(finding.grows);
  CHECK_FALSE(finding.named);
  CHECK_FALSE(finding.confirmed);
}

TEST_CASE("who maps and unmaps all day trips the wire and is not confirmed") {
  const UseHistory history = calm_history();
  Suspicion suspicion;
  suspicion.raise(Cause::tripwire, 10.0, 10.0);
  for (int i = 0; i < 20; ++i) {
    const UnitUse uses[] = {{kLeaker, (20 + i % 2) * kMega, 1, 1}, {kInnocent, 300 * kMega, 50, 1}};
    CHECK_FALSE(suspicion.look(Carrier::memory, 10.0 + i * 0.1, uses, history, 4 * kMega).confirmed);
  }
}

TEST_CASE("who was met once at the top of its swing is not confirmed") {
  const UseHistory history = calm_history();
  Suspicion suspicion;
  suspicion.raise(Cause::tripwire, 10.0, 10.0);
  for (int i = 0; i < 20; ++i) {
    const double swing = i % 3 == 1 ? 8 : 0;
    const UnitUse uses[] = {{kLeaker, (20 + swing) * kMega, 1, 1}, {kInnocent, 300 * kMega, 50, 1}};
    CHECK_FALSE(suspicion.look(Carrier::memory, 10.0 + i * 0.15, uses, history, 4 * kMega).confirmed);
  }
}

TEST_CASE("who was met twice at the top of its swing has not grown between and is not confirmed") {
  const UseHistory history = calm_history();
  Suspicion suspicion;
  suspicion.raise(Cause::tripwire, 10.0, 10.0);
  const auto look = [&](double now, double grown) {
    const UnitUse uses[] = {{kLeaker, (20 + grown) * kMega, 1, 1}, {kInnocent, 300 * kMega, 50, 1}};
    return suspicion.look(Carrier::memory, now, uses, history, 4 * kMega).confirmed;
  };
  CHECK_FALSE(look(10.00, 2));
  CHECK_FALSE(look(10.05, 8));
  CHECK_FALSE(look(10.15, 8));
  CHECK(look(10.25, 9));  // it grows on
}

TEST_CASE("a unit born since onset has grown by all it has") {
  const UseHistory history = calm_history();
  Suspicion suspicion;
  suspicion.raise(Cause::tripwire, 10.0, 10.0);
  const UnitUse first[] = {{99, 10 * kMega, 0, 1}, {kInnocent, 300 * kMega, 50, 1}};
  const UnitUse second[] = {{99, 20 * kMega, 0, 1}, {kInnocent, 300 * kMega, 50, 1}};
  suspicion.look(Carrier::memory, 10.0, first, history, 4 * kMega);
  const Finding finding = suspicion.look(Carrier::memory, 10.3, second, history, 4 * kMega);
  CHECK(finding.confirmed);
  CHECK(finding.growth == Approx(20 * kMega));
}

TEST_CASE("a suspicion that nothing renews is dropped after three seconds") {
  Suspicion suspicion;
  suspicion.raise(Cause::tripwire, 10.0, 10.0);
  CHECK(suspicion.active(12.9));
  CHECK_FALSE(suspicion.active(13.1));
}

TEST_CASE("the history answers the youngest generation that is not younger than asked") {
  const UseHistory history = calm_history();
  CHECK(history.at(10.0)->time_s == 10.0);
  CHECK(history.at(9.9)->time_s == 8.0);
  CHECK(history.at(-5)->time_s == 0.0);
  CHECK(UseHistory{}.at(1) == nullptr);
}

TEST_CASE("what somebody used before the onset is told with the name") {
  UseHistory history;
  for (int i = 0; i <= 8; ++i) {
    const UnitUse use{7, 0, 0.34 * 2 * i, 0};  // a third of a CPU
    history.remember(2.0 * i, {&use, 1});
  }
  Suspicion suspicion;
  suspicion.raise(Cause::score, 16, 16.1);
  UnitUse use{7, 0, 5.6, 0};
  suspicion.look(Carrier::cpu, 16.2, {&use, 1}, history, 0);
  use.cpu_s = 6.6;
  const Finding finding = suspicion.look(Carrier::cpu, 17.2, {&use, 1}, history, 0);
  CHECK(finding.named);
  CHECK(finding.usual_cpu_per_s == Approx(0.34));
  CHECK(finding.growth_per_s == Approx(1.0));
}
