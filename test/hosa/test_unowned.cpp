#include "test/catch.h"
#include "tools/hosa/unowned.h"

using namespace hosa;

namespace {

constexpr uint64_t kLeak = 1, kCompiler = 2, kOther = 3;

struct Growth : UnownedGrowth {
  void take(double bytes, std::initializer_list<UnitBytes> takers) { step(bytes, {takers.begin(), takers.size()}); }
  double of(uint64_t unit) const {
    for (const UnitBytes& given : given())
      if (given.unit == unit) return given.bytes;
    return 0;
  }
};

}  // namespace

TEST_CASE("what was there at the first look is nobody's") {
  Growth growth;
  growth.take(500, {{kLeak, 100}});
  CHECK(growth.given().empty());
}

TEST_CASE("growth is given to whoever was handed it") {
  Growth growth;
  growth.take(500, {});
  growth.take(550, {{kLeak, 52}});
  growth.take(600, {{kLeak, 49}});
  CHECK(growth.of(kLeak) == Approx(100).epsilon(0.03));
}

TEST_CASE("nobody is given more than it was handed: small takers are not blamed for what somebody unseen took") {
  Growth growth;
  growth.take(0, {});
  for (int i = 1; i <= 20; ++i) growth.take(100.0 * i, {{kOther, 1}});
  CHECK(growth.of(kOther) <= 20);
}

TEST_CASE("beside a leak one that is handed ten times as much, and keeps none of it, does not come to more than half") {
  Growth growth;
  double bytes = 0;
  growth.take(bytes, {});
  for (int i = 0; i < 20; ++i) growth.take(bytes += 5, {{kLeak, 5}, {kCompiler, 50}});
  CHECK(growth.of(kCompiler) <= 0.5 * bytes + 1e-6);
  CHECK(growth.of(kLeak) >= 0.5 * bytes - 1e-6);
}

TEST_CASE("one that is handed much now and then leaves most of the growth to the one that leaks all the time") {
  Growth growth;
  double bytes = 0;
  growth.take(bytes, {});
  for (int i = 0; i < 20; ++i) growth.take(bytes += 5, {{kLeak, 5}, {kCompiler, i % 3 == 0 ? 50.0 : 0.5}});
  CHECK(growth.of(kLeak) > 0.7 * bytes);
}

TEST_CASE("one that writes and removes files all day is given nothing in the end") {
  Growth growth;
  growth.take(1000, {});
  for (int i = 0; i < 100; ++i) {
    growth.take(1010, {{kCompiler, 10}});
    growth.take(1000, {{kCompiler, 0}});
  }
  CHECK(growth.of(kCompiler) < 1);
}

TEST_CASE("pages that the table shows a step later than the figure are given all the same, but no later") {
  Growth growth;
  growth.take(0, {});
  growth.take(50, {});
  growth.take(50, {{kLeak, 50}});
  CHECK(growth.of(kLeak) == Approx(50));
  Growth late;
  late.take(0, {});
  late.take(50, {});
  late.take(50, {});
  late.take(50, {{kLeak, 50}});
  CHECK(late.of(kLeak) == 0);
}

TEST_CASE("more units than there is room for: who has least makes way") {
  Growth growth;
  growth.take(0, {});
  double bytes = 0;
  for (uint64_t unit = 1; unit <= kUnits; ++unit) growth.take(bytes += 10, {{unit, 10}});
  growth.take(bytes += 5, {{kUnits + 1, 5}});
  CHECK(growth.of(kUnits + 1) == 0);
  growth.take(bytes += 50, {{kUnits + 1, 50}});
  CHECK(growth.of(kUnits + 1) == 50);
  CHECK(growth.given().size() == kUnits);
}
