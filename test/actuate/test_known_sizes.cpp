#include "actuate/known_sizes.h"

#include "test/catch.h"

using namespace hosa;

namespace {
constexpr double kMega = 1024 * 1024;
}

TEST_CASE("a unit is known by its path without numbers and by its program") {
  const auto key = [](const char* path, const char* program) { return KnownSizes::key_of(path, program); };
  CHECK(key("/user.slice/session-3.scope", "/usr/bin/make") == key("/user.slice/session-127.scope", "/usr/bin/make"));
  CHECK(key("/system.slice/a.service", "/usr/bin/a") != key("/system.slice/b.service", "/usr/bin/a"));
  CHECK(key("/system.slice/a.service", "/usr/bin/a") != key("/system.slice/a.service", "/usr/bin/b"));
  CHECK(key("/a", "b") != key("/ab", ""));
}

TEST_CASE("a size follows a larger one at once, a smaller one over a day, and a small one is not worth it") {
  KnownSizes sizes;
  sizes.settled(1, 100 * kMega, 10);
  sizes.settled(1, 300 * kMega, 20);
  CHECK(sizes.bytes_of(1) == 300 * kMega);
  sizes.settled(1, 100 * kMega, 30);
  CHECK(sizes.bytes_of(1) > 299 * kMega);
  for (int i = 0; i < 2000; ++i) sizes.settled(1, 100 * kMega, 40);
  CHECK(sizes.bytes_of(1) < 130 * kMega);
  sizes.settled(2, 1 * kMega, 50);
  sizes.settled(3, __builtin_nan(""), 50);
  CHECK(sizes.bytes_of(2) == 0);
  CHECK(sizes.all().size() == 1);
}

TEST_CASE("who was not seen for longest makes room") {
  KnownSizes sizes;
  for (uint64_t key = 1; key <= kKnownSizes; ++key) sizes.settled(key, 20 * kMega, 1000 + key);
  sizes.settled(1, 20 * kMega, 5000);
  sizes.settled(9999, 20 * kMega, 5001);
  CHECK(sizes.all().size() == kKnownSizes);
  CHECK(sizes.bytes_of(9999) == 20 * kMega);
  CHECK(sizes.bytes_of(1) == 20 * kMega);
  CHECK(sizes.bytes_of(2) == 0);
  KnownSizes again;
  again.restore(sizes.all());
  CHECK(again.bytes_of(9999) == 20 * kMega);
}
