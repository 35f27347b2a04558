#include "detect/window.h"

#include <vector>

#include "test/catch.h"

using namespace hosa::detect;

namespace {
const Dimension kTotalAndLevel[] = {{"total", "1/s", Kind::rate, 10, 1, 0.1, Resource::cpu, true},
                                    {"level", "1", Kind::fraction, 1, 1, 0.1, Resource::memory, false}};

struct Polled {
  RateWindow window{kTotalAndLevel};
  double values[2] = {};
  bool at(double now, double total, double level = 0) {
    const double reading[] = {total, level};
    return window.add(reading, now, values);
  }
};
}  // namespace

TEST_CASE("a steady rate reads the same at every polling interval") {
  for (const double step : {0.5, 0.1, 0.037, 0.01, 0.001}) {
    Polled polled;
    for (double now = 100; now < 103; now += step)
      if (polled.at(now, 5e9 + 250 * now)) CHECK(polled.values[0] == Approx(250).epsilon(1e-6));
    CHECK(polled.values[0] == Approx(250).epsilon(1e-6));
  }
}

TEST_CASE("the window is half a second long however fast it is polled") {
  for (const double step : {0.1, 0.01, 0.001, 0.0003}) {
    INFO("step " << step);
    Polled polled;
    double now = 0;
    for (; now < 2; now += step) polled.at(now, 0);
    const double jump = now;
    for (; now < jump + 0.46; now += step) {
      polled.at(now, 100);
      CHECK(polled.values[0] == Approx(200).epsilon(0.01));  // 100 within 0.5 s
    }
    for (; now < jump + 0.7; now += step) polled.at(now, 100);
    CHECK(polled.values[0] == Approx(0).margin(1e-9));
  }
}

TEST_CASE("the far edge is interpolated between readings") {
  Polled polled;
  polled.at(0, 0);
  polled.at(0.4, 40);
  REQUIRE(polled.at(0.8, 140));
  CHECK(polled.values[0] == Approx((140 - 30) / 0.5));  // at 0.3 s the total was 30
}

TEST_CASE("no rate is given before half a window of history") {
  Polled polled;
  CHECK_FALSE(polled.at(10, 0));
  CHECK_FALSE(polled.at(10.1, 10));
  CHECK_FALSE(polled.at(10.2, 20));
  CHECK(polled.at(10.3, 30));
  CHECK(polled.values[0] == Approx(100));
}

TEST_CASE("after a gap the rate is the gap's mean") {
  Polled polled;
  for (int i = 0; i < 20; ++i) polled.at(0.1 * i, 0);
  REQUIRE(polled.at(21.9, 2000));
  CHECK(polled.values[0] == Approx(100).epsilon(1e-6));
}

TEST_CASE("a counter that was reset adds nothing and is counted") {
  Polled polled;
  for (int i = 0; i < 20; ++i) polled.at(0.1 * i, 1000 + 10 * i);
  CHECK(polled.window.resets() == 0);
  polled.at(2.0, 3);
  CHECK(polled.window.resets() == 1);
  CHECK(polled.values[0] == Approx(80));
  for (int i = 1; i < 10; ++i) polled.at(2.0 + 0.1 * i, 3 + 10 * i);
  CHECK(polled.values[0] == Approx(100));
}

TEST_CASE("levels pass as they are") {
  Polled polled;
  polled.at(0, 0, 0.25);
  polled.at(0.5, 0, 0.75);
  CHECK(polled.values[1] == 0.75);
}
