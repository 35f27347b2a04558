#include "actuate/bucket.h"
#include "test/catch.h"

using namespace hosa;

namespace {
constexpr double kMega = 1024 * 1024;

// Runs a leak of `rate` bytes a second that stands still while frozen; answers the bytes grown.
struct Run {
  double grown = 0, longest_freeze = 0;
  int freezes = 0, most_in_a_second = 0;
};
Run run(Bucket& bucket, double rate, double fill, double seconds, FreezeLimits limits = {}) {
  Run out;
  bucket.start(0);
  double frozen_since = 0;
  int this_second = 0;
  for (int i = 1; i <= seconds * 100; ++i) {
    const double now = i * 0.01, growth = bucket.frozen() ? 0 : rate * 0.01;
    if (i % 100 == 0) this_second = 0;
    out.grown += growth;
    switch (bucket.step(now, growth, fill, limits)) {
      case Pulse::freeze:
        frozen_since = now;
        ++out.freezes;
        out.most_in_a_second = std::max(out.most_in_a_second, ++this_second);
        break;
      case Pulse::thaw: out.longest_freeze = std::max(out.longest_freeze, now - frozen_since); break;
      case Pulse::none: break;
    }
  }
  return out;
}
}  // namespace

TEST_CASE("a leak of 50 MB/s grows by what the bucket fills, not more") {
  Bucket bucket;
  const Run r = run(bucket, 50 * kMega, 4 * kMega, 60);
  CHECK(r.grown <= 60 * 4 * kMega * 1.02 + kMega);
  CHECK(r.grown >= 60 * 4 * kMega * 0.9);
  CHECK(r.most_in_a_second <= Bucket::kPulsesPerSecond);
}

TEST_CASE("who grows slower than the fill is never frozen") {
  Bucket bucket;
  CHECK(run(bucket, 3 * kMega, 4 * kMega, 30).freezes == 0);
}

TEST_CASE("a bucket that is not filled freezes, thaws one quantum after the longest freeze, and freezes again") {
  Bucket bucket;
  const Run r = run(bucket, 50 * kMega, 0, 60);
  CHECK(r.longest_freeze == Approx(5.0).margin(0.02));
  CHECK(r.freezes >= 11);
  CHECK(r.grown <= 50 * kMega * 0.02 * (r.freezes + 1));  // at most two 10 ms steps per thaw
}

TEST_CASE("S6: one freeze lasts at most a quarter of the watchdog") {
  Bucket bucket;
  FreezeLimits limits;
  limits.longest_s = 1.0;
  CHECK(run(bucket, 500 * kMega, 1 * kMega, 30, limits).longest_freeze <= 1.02);
}

TEST_CASE("who has a signal pending runs although the debt is not paid") {
  Bucket bucket;
  bucket.start(0);
  CHECK(bucket.step(0.1, 10 * kMega, kMega, {}) == Pulse::freeze);
  bucket.let_run_until(0.5);
  CHECK(bucket.step(0.11, 0, kMega, {}) == Pulse::thaw);
  CHECK(bucket.step(0.3, kMega, kMega, {}) == Pulse::none);
  CHECK(bucket.step(0.6, 0, kMega, {}) == Pulse::freeze);
}

TEST_CASE("what is saved up never exceeds two seconds' worth, and a lower fill takes none of it away") {
  Bucket bucket;
  bucket.start(0);
  for (int second = 1; second <= 10; ++second) bucket.step(second, 0, 4 * kMega, {});
  CHECK(bucket.tokens() == Approx(8 * kMega));
  SECTION("memory that is given back fills it no further") {
    bucket.step(10.01, -100 * kMega, 4 * kMega, {});
    CHECK(bucket.tokens() == Approx(8 * kMega));
  }
  SECTION("the fill falls to a quarter") {
    for (int second = 11; second <= 20; ++second) bucket.step(second, 0, kMega, {});
    CHECK(bucket.tokens() == Approx(8 * kMega));
    bucket.step(20.01, 7 * kMega, kMega, {});
    bucket.step(30, 0, kMega, {});
    CHECK(bucket.tokens() == Approx(2 * kMega));  // once spent, the lower cap holds
  }
}

TEST_CASE("memory given back and taken again uses up nothing") {
  Bucket bucket;
  bucket.start(0);
  int freezes = 0;
  for (int i = 1; i <= 1000; ++i) {
    const double growth = (i % 2 == 1 ? -10 : 10) * kMega;
    freezes += bucket.step(i * 0.1, growth, 40 * kMega, {}) == Pulse::freeze ? 1 : 0;
  }
  CHECK(freezes == 0);
}

TEST_CASE("a crowd that grows runs for 3 ms in a second, whatever tokens it has") {
  FreezeLimits limits;
  limits.crowd = true;
  Bucket bucket;
  bucket.start(0);
  double ran_s = 0, thawed_s = 0, longest_run_s = 0;
  int freezes = 0;
  for (int i = 1; i <= 30'000; ++i) {  // 30 s in steps of 1 ms, 40 MB/s under a fill of 100 MB/s
    const double now_s = i * 0.001;
    const bool runs = !bucket.frozen();
    ran_s += runs ? 0.001 : 0;
    const Pulse pulse = bucket.step(now_s, runs ? 40 * kMega * 0.001 : 0, 100 * kMega, limits);
    if (pulse == Pulse::thaw) thawed_s = now_s;
    if (pulse != Pulse::freeze) continue;
    ++freezes;
    longest_run_s = std::max(longest_run_s, now_s - thawed_s);
  }
  CHECK(bucket.tokens() > 0);
  CHECK(longest_run_s <= Bucket::kCrowdThawS + 0.0015);  // a step late at most
  CHECK(freezes == Approx(30 / (Bucket::kCrowdFreezeS + Bucket::kCrowdThawS)).margin(1));
  CHECK(ran_s < 30 * 0.006);
}

TEST_CASE(
    "a crowd that is watched is frozen when its quota is used and it has grown, neither sooner nor by growth alone") {
  FreezeLimits limits;
  limits.crowd = limits.watched = true;
  Bucket bucket;
  bucket.start(0);
  CHECK(bucket.next_s(100 * kMega, limits) == 0);                             // nothing to wait for but the record
  CHECK(bucket.step(0.001, 256 * 1024, 100 * kMega, limits) == Pulse::none);  // one batch of charges
  CHECK(bucket.step(0.02, 0, 100 * kMega, limits) == Pulse::none);
  limits.quota_used = true;
  CHECK(bucket.step(0.021, 0, 100 * kMega, limits) == Pulse::freeze);
  limits.quota_used = false;
  CHECK(bucket.step(1.022, 0, 100 * kMega, limits) == Pulse::thaw);
  limits.quota_used = true;  // handed, and given back: no growth
  CHECK(bucket.step(1.03, 0, 100 * kMega, limits) == Pulse::none);
}

TEST_CASE("a crowd that has stopped growing is not frozen, and its noise is not growth") {
  FreezeLimits limits;
  limits.crowd = true;
  Bucket bucket;
  bucket.start(0);
  CHECK(bucket.step(0.005, kMega, 100 * kMega, limits) == Pulse::freeze);
  CHECK(bucket.step(0.7, 0, 100 * kMega, limits) == Pulse::none);
  CHECK(bucket.step(1.006, 0, 100 * kMega, limits) == Pulse::thaw);
  CHECK(bucket.crowd_until_s() == Approx(1.006 + Bucket::kCrowdThawS));
  int freezes = 0;
  for (int i = 1; i <= 400; ++i) {
    const double growth = i % 2 == 1 ? 32 * 1024 : -32 * 1024;
    freezes += bucket.step(1.006 + i * 0.01, growth, 100 * kMega, limits) == Pulse::freeze ? 1 : 0;
  }
  CHECK(freezes == 0);
}

TEST_CASE("S6: a crowd's freeze is as short as its watchdog asks, and a pending signal ends it") {
  FreezeLimits limits;
  limits.crowd = true;
  limits.longest_s = 0.25;
  Bucket bucket;
  bucket.start(0);
  REQUIRE(bucket.step(0.005, kMega, 100 * kMega, limits) == Pulse::freeze);
  SECTION("a quarter of the watchdog") {
    CHECK(bucket.step(0.2, 0, 100 * kMega, limits) == Pulse::none);
    CHECK(bucket.step(0.256, 0, 100 * kMega, limits) == Pulse::thaw);
  }
  SECTION("a signal that waits") {
    bucket.let_run_until(1);
    CHECK(bucket.step(0.01, 0, 100 * kMega, limits) == Pulse::thaw);
    CHECK(bucket.step(0.5, 10 * kMega, 100 * kMega, limits) == Pulse::none);
    CHECK(bucket.step(1.01, 0, 100 * kMega, limits) == Pulse::freeze);
  }
}

TEST_CASE("what a crowd's ending processes give back does not count as quiet until they have ended") {
  Bucket bucket;
  bucket.start(0);
  FreezeLimits crowd;
  crowd.crowd = true;
  for (int i = 1; i <= 300; ++i) (void)bucket.step(i * 0.01, -0.5 * kMega, kMega, crowd);
  CHECK(bucket.freezes() == 0);
  CHECK(bucket.quiet_since_s() == Approx(3.0).margin(0.05));
  for (int i = 301; i <= 600; ++i) (void)bucket.step(i * 0.01, i % 2 ? 32e3 : -32e3, kMega, crowd);
  CHECK(bucket.quiet_since_s() == Approx(3.0).margin(0.05));
}
