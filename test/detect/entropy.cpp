#include "detect/entropy.h"

#include <array>

#include "test/catch.h"

using namespace hosa::detect;

TEST_CASE("the entropy of a mix is 0 for one kind, and log2 n for n kinds in equal parts") {
  const std::array<uint32_t, 4> none{};
  CHECK(mix_entropy(none, none).bits == 0);
  CHECK(mix_entropy(none, none).total == 0);
  const std::array<uint32_t, 4> one{0, 1000, 0, 0}, even{7, 7, 7, 7}, uneven{2, 1, 1, 0};
  CHECK(mix_entropy(one, none).bits == Approx(0).margin(1e-12));
  CHECK(mix_entropy(even, none).bits == Approx(2));
  CHECK(mix_entropy(uneven, none).bits == Approx(1.5));
  CHECK(mix_entropy(even, uneven).total == 24);
}

TEST_CASE("counters that have wrapped around are amounts all the same") {
  const std::array<uint32_t, 2> before{0xfffffff0u, 0}, now{0x10u, 0x20u};
  CHECK(mix_entropy(now, before).total == 0x40);
  CHECK(mix_entropy(now, before).bits == Approx(1));
}
