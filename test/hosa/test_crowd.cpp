#include "test/catch.h"
#include "tools/hosa/crowd.h"

using namespace hosa;

namespace {

Crowd on_cpus(uint32_t cpus) {
  Crowd crowd;
  crowd.open(cpus);
  return crowd;
}

}  // namespace

TEST_CASE("a crowd is as old as the time for which others have waited, not as old as the reading that saw it") {
  Crowd crowd = on_cpus(1);
  crowd.read({.now_s = 100.3, .running = 8, .beat_s = 0.3, .waited_s = 0.27, .exact = true}, true);
  CHECK(crowd.lasts_s(100.3) == Approx(0.27));
}

TEST_CASE("of a calm beat its last half second counts: a pressure trigger wakes us in the middle of it") {
  Crowd crowd = on_cpus(1);
  crowd.read({.now_s = 100.6, .running = 8, .beat_s = 0.6, .waited_s = 0.26, .exact = true}, true);
  CHECK(crowd.stands());
}

TEST_CASE("a third of the time is what a build makes others wait, and half a second of two seconds is over") {
  Crowd crowd = on_cpus(1);
  crowd.read({.now_s = 100.5, .running = 8, .beat_s = 0.5, .waited_s = 0.17, .exact = true}, true);
  CHECK_FALSE(crowd.stands());
  crowd.read({.now_s = 102.5, .running = 8, .beat_s = 2, .waited_s = 0.5, .exact = true}, true);
  CHECK_FALSE(crowd.stands());
}

TEST_CASE("four compilers are no crowd for one CPU, nor eight for four") {
  CHECK_FALSE(on_cpus(1).is_crowd(4));
  CHECK(on_cpus(1).is_crowd(6));
  CHECK_FALSE(on_cpus(4).is_crowd(8));
  CHECK(on_cpus(4).is_crowd(16));
}

TEST_CASE("an instant does not say for how long others have waited") {
  Crowd crowd = on_cpus(1);
  crowd.read({.now_s = 100.5, .running = 8, .beat_s = 0.5, .waited_s = 0.5, .exact = false}, true);
  CHECK(crowd.stands());
  CHECK(crowd.lasts_s(100.5) == 0);
  CHECK(crowd.lasts_s(100.7) == Approx(0.2));
}

TEST_CASE("a crowd that was noticed between two readings is as old as that, and is judged by what came after it") {
  Crowd crowd = on_cpus(1);
  CHECK(crowd.notice(8, 100.4));
  CHECK_FALSE(crowd.notice(8, 100.42));
  crowd.read({.now_s = 100.5, .running = 8, .beat_s = 0.5, .waited_s = 0.1, .exact = true}, true);
  CHECK(crowd.lasts_s(100.5) == Approx(0.1));
}

TEST_CASE("a crowd that has gone, or nobody waits for, or is another resource's, stands no more") {
  const CrowdReading full{.now_s = 100.5, .running = 8, .beat_s = 0.1, .waited_s = 0.1, .exact = true};
  for (int why = 0; why < 3; ++why) {
    Crowd crowd = on_cpus(1);
    crowd.read(full, true);
    REQUIRE(crowd.stands());
    CrowdReading next = full;
    next.now_s += 0.1;
    if (why == 0) next.running = 2;
    if (why == 1) next.waited_s = 0.01;
    crowd.read(next, why != 2);
    CHECK_FALSE(crowd.stands());
  }
}
