#include "detect/top_share.h"

#include <random>

#include "test/catch.h"

using namespace hosa::detect;

namespace {

struct Machine {
  TopShare top;
  std::mt19937 random{5};
  int told = 0;
  // Looks every 5 s; the largest user takes about `share`.
  void run(double seconds, double share) {
    std::uniform_real_distribution<double> part(0.5, 1.5);
    for (double passed = 0; passed < seconds; passed += 5) told += top.add(share * part(random), 5);
  }
};

}  // namespace

TEST_CASE("who takes half of a machine of which nobody took more than a tenth is told within a minute, and once") {
  Machine machine;
  machine.run(3600, 0.1);
  CHECK(machine.told == 0);
  machine.run(60, 0.5);
  CHECK(machine.told == 1);
  CHECK(machine.top.told());
  machine.run(3600, 0.5);
  CHECK(machine.told <= 2);
  CHECK_FALSE(machine.top.told());
}

TEST_CASE("a service that hangs is told, too: the largest user never took so little") {
  Machine machine;
  machine.run(3600, 0.4);
  machine.run(120, 0.01);
  CHECK(machine.told == 1);
}

TEST_CASE("a job of every ten minutes is told when it is new, and no more that day") {
  Machine machine;
  for (int turn = 0; turn < 6 * 24; ++turn) {
    machine.run(540, 0.1);
    machine.run(60, 0.9);
  }
  CHECK(machine.told <= 3);
}

TEST_CASE("a burst of seconds is nobody's share, and nothing is told in the first ten minutes") {
  Machine machine;
  machine.run(300, 0.05);
  machine.run(120, 0.9);
  CHECK(machine.told == 0);
  Machine later;
  later.run(3600, 0.05);
  later.run(10, 0.9);
  later.run(600, 0.05);
  CHECK(later.told == 0);
  later.top.add(NAN, 5);
  later.top.add(0.1, -1);
  CHECK(is_finite(later.top.mean()));
}
