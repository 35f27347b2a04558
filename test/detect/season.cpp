#include "detect/season.h"

#include <cmath>
#include <memory>
#include <random>

#include "detect/detector.h"
#include "test/catch.h"

using namespace hosa::detect;

namespace {

constexpr double kDay = 288;  // seconds: a day of five-minute rows, each taken for one second
constexpr double kDays[] = {96, 144, kDay, 1440};

// Two dimensions, the first follows the load. One sample a second.
struct Trace {
  Season season{2, 24};
  std::mt19937 random{5};
  double now = 0;
  double noise() { return std::normal_distribution<double>(0, 0.1)(random); }
  template <class Load>
  void run(double days, Load load, double seconds = 1) {
    for (double end = now + days * kDay; now < end; now += 1) {
      const double x = load(now) + noise();
      const double y[] = {5 + 3 * x, 7 + noise()};
      season.add(y, x, now, seconds);
    }
  }
};

double day(double now) {
  return std::sin(2 * M_PI * now / kDay);
}

}  // namespace

TEST_CASE("a day in the load is found after four days and known after seven") {
  Trace trace;
  trace.season.look_for(kDays);
  trace.run(5.9, day);
  CHECK_FALSE(trace.season.known());
  trace.run(1.3, day);
  REQUIRE(trace.season.known());
  CHECK(trace.season.period_s() == kDay);
  for (int hour = 0; hour < 24; ++hour) {
    trace.run(1.0 / 24, day);
    CHECK(trace.season.expected(0) == Approx(3 * day(trace.now - 1)).margin(0.35));
    CHECK(trace.season.expected(1) == Approx(0).margin(0.1));
    CHECK(trace.season.expected_load() == Approx(day(trace.now - 1)).margin(0.25));
  }
}

TEST_CASE("neither noise nor a slow wander nor a ramp is a season") {
  const auto none = [](auto load) {
    Trace trace;
    trace.season.look_for(kDays);
    trace.run(40, load);
    return !trace.season.known();
  };
  double wander = 0;
  std::mt19937 random{8};
  CHECK(none([](double) { return 0.0; }));
  CHECK(none([](double now) { return now / 1000; }));
  CHECK(none([&](double) { return wander = 0.999 * wander + std::normal_distribution<double>(0, 0.1)(random); }));
  CHECK(none([](double now) { return std::sin(now / 700); }));  // a period that is nobody's day
}

TEST_CASE("a season that has ended fades and is given up") {
  Trace trace;
  trace.season.look_for(kDays);
  trace.run(10, day);
  REQUIRE(trace.season.known());
  trace.run(20, [](double) { return 0.0; });
  for (int hour = 0; hour < 24; ++hour) {
    trace.run(1.0 / 24, [](double) { return 0.0; });
    CHECK(std::fabs(trace.season.expected(0)) < 0.4);  // was 3
  }
  trace.run(40, [](double) { return 0.0; });
  CHECK_FALSE(trace.season.known());
  CHECK(trace.season.expected(0) == 0);
}

TEST_CASE("no season is looked for without a calendar, and nothing is learned of what counts for nothing") {
  Trace blind;
  blind.season.look_for(kDays);
  for (int i = 0; i < 4000; ++i) {
    const double y[] = {day(i), 0};
    blind.season.add(y, day(i), -1, 1);
  }
  CHECK_FALSE(blind.season.known());
  Trace held;
  held.season.look_for(kDays);
  held.run(10, day, 0);
  CHECK_FALSE(held.season.known());
}

TEST_CASE("a machine that is switched off at night has its season, too") {
  Trace trace;
  trace.season.look_for({&kDay, 1});
  for (int morning = 0; morning < 16; ++morning) {
    trace.run(0.6, day);
    trace.now += 0.4 * kDay;
  }
  CHECK_FALSE(trace.season.known());  // the windows of the night were never seen
  trace.run(7, day);
  CHECK(trace.season.known());
}

TEST_CASE("a detector that begins anew looks for the same seasons, and knows none") {
  static const Dimension kTable[] = {{"busy", "share", Kind::fraction, 1, 1, 0.005, Resource::cpu, false},
                                     {"other", "share", Kind::fraction, 1, 1, 0.005, Resource::cpu, false}};
  const auto detector = std::make_unique<Detector>(kTable);
  detector->look_for_seasons(kDays);
  detector->begin(1e18);
  double row = 0;
  const auto live = [&](double days) {
    for (const double end = row + days * kDay; row < end; row += 1) {
      Context context;
      context.calendar_seconds = row;
      detector->set_context(context);
      const double reading[] = {0.5 + 0.3 * day(row), 0.4};
      detector->step(reading, row, true);
    }
  };
  live(10);
  CHECK(detector->season().known());
  detector->begin(1e18);
  CHECK_FALSE(detector->season().known());
  live(10);
  CHECK(detector->season().known());
}

TEST_CASE("less load than the day's mean is idleness at night, when the season expects it, and not at noon") {
  static const Dimension kTable[] = {{"busy", "share", Kind::fraction, 1, 1, 0.005, Resource::cpu, false}};
  const auto detector = std::make_unique<Detector>(kTable);
  detector->look_for_seasons(kDays);
  detector->begin(600);
  std::mt19937 random{3};
  int at_night = 0, at_noon = 0;
  for (double row = 0; row < 20 * kDay; row += 1) {
    Context context;
    context.calendar_seconds = row;
    detector->set_context(context);
    const double reading[] = {0.5 + 0.3 * day(row) + std::normal_distribution<double>(0, 0.02)(random)};
    const Verdict& verdict = detector->step(reading, row, true);
    if (row > 18 * kDay && verdict.regime.value == -1) ++(day(row) < 0 ? at_night : at_noon);
  }
  CHECK(detector->season().known());
  CHECK(at_night > 20);
  CHECK(at_noon == 0);
}

// The rush hour of every day is as far from the day's mean as the fault is from the hour's.
TEST_CASE("with its season known the detector sees at night what would be nothing by day") {
  static const Dimension kTable[] = {{"busy", "share", Kind::fraction, 1, 1, 0.005, Resource::cpu, false},
                                     {"other", "share", Kind::fraction, 1, 1, 0.005, Resource::cpu, false}};
  const auto judge = [&](bool seasonal) {
    const auto detector = std::make_unique<Detector>(kTable);
    detector->begin(1e18);
    if (seasonal) detector->look_for_seasons(kDays);
    std::mt19937 random{3};
    const auto noise = [&] { return std::normal_distribution<double>(0, 0.02)(random); };
    double usual = 0, fault = 0;
    for (int row = 0; row < 15 * 288; ++row) {
      const double now = row, load = 0.5 + 0.3 * day(now);
      if (row == 12 * 288) detector->end_warm_up();
      const bool faulty = row >= 14 * 288 + 210;  // at the day's quietest hour
      const double reading[] = {load + noise() + (faulty && row < 14 * 288 + 222 ? 0.3 : 0), 0.4 + noise()};
      Context context;
      context.calendar_seconds = now;
      detector->set_context(context);
      const double tempered = detector->step(reading, 0.1 * now, true).tempered;
      if (row > 13 * 288 && !faulty) usual = std::max(usual, tempered);
      if (faulty && row < 14 * 288 + 222) fault = std::max(fault, tempered);
    }
    INFO("largest in normal time " << usual << ", in the fault " << fault);
    CHECK(detector->season().known() == seasonal);
    return fault / usual;
  };
  CHECK(judge(true) > 2);
  CHECK(judge(false) < 1.5);
}

// Rows of half an hour; a working day on five days of seven, nights always quiet.
TEST_CASE("a week is found in what the day leaves, and neither a day alone nor noise is a week") {
  static const Dimension kTable[] = {{"busy", "share", Kind::fraction, 1, 1, 0.005, Resource::cpu, false},
                                     {"other", "share", Kind::fraction, 1, 1, 0.005, Resource::cpu, false}};
  constexpr double kRows = 48, kWeek = 7 * kRows;
  const auto learned = [&](auto load) {
    auto detector = std::make_unique<Detector>(kTable);
    detector->look_for_seasons({&kRows, 1}, {&kWeek, 1});
    detector->begin(1e18);
    std::mt19937 random{4};
    for (double row = 0; row < 12 * kWeek + 13 * kRows / 2; row += 1) {  // ends on a Saturday's noon
      Context context;
      context.calendar_seconds = row;
      detector->set_context(context);
      const double reading[] = {load(row) + std::normal_distribution<double>(0, 0.01)(random), 0.4};
      detector->step(reading, row, true);
    }
    return detector;
  };
  const auto by_day = [](double row) { return 0.3 + 0.2 * std::sin(2 * M_PI * (row / kRows - 0.25)); };
  const auto working =
      learned([&](double row) { return by_day(row) - (std::fmod(row, kWeek) >= 5 * kRows ? 0.15 : 0); });
  REQUIRE(working->week().known());
  CHECK(working->season().known());
  CHECK(working->week().expected(0) == Approx(-0.15 * 5 / 7).margin(0.03));
  CHECK_FALSE(learned(by_day)->week().known());
  CHECK_FALSE(learned([](double) { return 0.3; })->week().known());
  const auto weekly = learned([](double row) { return std::fmod(row, kWeek) >= 5 * kRows ? 0.1 : 0.4; });
  CHECK(weekly->week().known());
  CHECK_FALSE(weekly->season().known());
}
