#include "detect/wire.h"

#include "test/catch.h"

using namespace hosa::detect;

TEST_CASE("a bucket's edge is half an octave above the one before") {
  CHECK(bucket_edge(0) == 0);
  CHECK(bucket_edge(1) == 1);
  CHECK(bucket_edge(2) == 2);
  CHECK(bucket_edge(3) == 3);
  CHECK(bucket_edge(4) == 4);
  CHECK(bucket_edge(5) == 6);
  for (std::size_t bucket = 1; bucket < HOSA_BUCKETS; ++bucket) CHECK(bucket_edge(bucket) > bucket_edge(bucket - 1));
  CHECK(bucket_edge(HOSA_BUCKETS - 1) == 49152);
}

TEST_CASE("a wire's limit is what calm exceeds at most once in two minutes") {
  WireHistogram calm;
  CHECK(calm.limit(600) == 0);  // nothing ever happened
  calm.add(5, 40000);           // 6 or 7 units: the usual
  calm.add(10, 300);            // 32 to 47: twice a second
  calm.add(14, 5);              // 128 to 191: five times in ten minutes, as often as is allowed
  CHECK(calm.limit(600) == 48);
  CHECK(calm.limit(300) == 192);  // in five minutes that would be too often
  CHECK(calm.limit(300000) == 8);
  calm.add(20, 1);
  CHECK(calm.limit(600) == 192);  // now six in ten minutes lie above 128
  calm.halve();
  CHECK(calm.limit(300) == 192);
  calm.add(HOSA_BUCKETS - 1, 1000);
  CHECK(calm.limit(600) == 65536);
}

TEST_CASE("what a leak may hide below is bounded however many CPUs there are") {
  for (const std::size_t cpus : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{4}, std::size_t{8}}) {
    const WireBounds second = wire_bounds(HOSA_ANON_BYTES, HOSA_LONG_WINDOW, cpus);
    CHECK(second.most * (cpus == 0 ? 1 : cpus) <= 16 << 20);
    CHECK(second.least <= second.first);
    CHECK(second.first <= second.most);
  }
  for (std::size_t subject = 0; subject < HOSA_SUBJECTS; ++subject)
    for (std::size_t span = 0; span < HOSA_SPANS; ++span) {
      const WireBounds bounds = wire_bounds(subject, span, 64);
      CHECK(bounds.least <= bounds.first);
      CHECK(bounds.first <= bounds.most);
    }
}
