#include "test/catch.h"
#include "tools/hosa/tripwires.h"

using namespace hosa;
using Suspected = Tripwires::Suspected;

namespace {

hosa_event trip(uint32_t subject) {
  hosa_event event{};
  event.subject = subject;
  event.span = HOSA_SHORT_WINDOW;
  return event;
}

struct Wires {
  KernelSide kernel;  // closed: there are no CPUs whose limits could be written
  Tripwires wires;
  Wires() { wires.open(kernel, 0); }
  uint64_t limit(std::size_t subject) const { return wires.range(subject, HOSA_SHORT_WINDOW).least; }
};

}  // namespace

TEST_CASE("forks that nobody explains double the wire of forks when their own suspicion ends") {
  Wires w;
  const uint64_t forks = w.limit(HOSA_FORKS), bytes = w.limit(HOSA_ANON_BYTES);
  w.wires.tripped(trip(HOSA_FORKS), 1);
  w.wires.churned(w.kernel, Suspected::memory, Tripwires::kTired, 1);  // another matter
  CHECK(w.limit(HOSA_FORKS) == forks);
  w.wires.churned(w.kernel, Suspected::tasks, Tripwires::kTired, 1);
  CHECK(w.limit(HOSA_FORKS) == 2 * forks);
  CHECK(w.limit(HOSA_ANON_BYTES) == bytes);
  w.wires.churned(w.kernel, Suspected::tasks, Tripwires::kTired, 1);  // nothing tripped since
  CHECK(w.limit(HOSA_FORKS) == 2 * forks);
}

TEST_CASE("a trip that was confirmed doubles nothing, and a suspicion's end says nothing of the other's trips") {
  Wires w;
  const uint64_t forks = w.limit(HOSA_FORKS), bytes = w.limit(HOSA_ANON_BYTES);
  w.wires.tripped(trip(HOSA_FORKS), 1);
  w.wires.tripped(trip(HOSA_ANON_BYTES), 1);
  w.wires.confirmed(Suspected::tasks);
  w.wires.churned(w.kernel, Suspected::tasks, Tripwires::kTired, 1);
  CHECK(w.limit(HOSA_FORKS) == forks);
  w.wires.churned(w.kernel, Suspected::memory, Tripwires::kTired, 1);
  CHECK(w.limit(HOSA_ANON_BYTES) == 2 * bytes);
}

TEST_CASE("a wire is doubled twice at most, and a minute without a trip takes one doubling back") {
  Wires w;
  const uint64_t bytes = w.limit(HOSA_ANON_BYTES);
  for (int i = 0; i < 5; ++i) {
    w.wires.tripped(trip(HOSA_ANON_BYTES), i);
    w.wires.churned(w.kernel, Suspected::memory, Tripwires::kTired, 1);
  }
  CHECK(w.limit(HOSA_ANON_BYTES) == 4 * bytes);
  w.wires.learn(w.kernel, 63, true);
  CHECK(w.limit(HOSA_ANON_BYTES) == 4 * bytes);
  w.wires.learn(w.kernel, 64, true);
  CHECK(w.limit(HOSA_ANON_BYTES) == 2 * bytes);
  w.wires.learn(w.kernel, 124, true);
  CHECK(w.limit(HOSA_ANON_BYTES) == bytes);
}

TEST_CASE("two trips a second that were dismissed double nothing, eight a second do, and five whole looks do") {
  Wires w;
  const uint64_t bytes = w.limit(HOSA_ANON_BYTES);
  const auto trip_each = [&](double seconds, double weight, double from, double to) {
    for (double t = from; t < to; t += seconds) {
      w.wires.tripped(trip(HOSA_ANON_BYTES), t);
      w.wires.churned(w.kernel, Suspected::memory, weight, t);
    }
  };
  trip_each(0.5, Tripwires::kDismissed, 0, 600);
  CHECK(w.limit(HOSA_ANON_BYTES) == bytes);
  trip_each(0.125, Tripwires::kDismissed, 700, 760);
  CHECK(w.limit(HOSA_ANON_BYTES) == 2 * bytes);
  trip_each(2, Tripwires::kLookedFor, 800, 811);
  CHECK(w.limit(HOSA_ANON_BYTES) == 4 * bytes);
}
