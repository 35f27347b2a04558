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
