#include <limits>
#include <string>

#include "test/catch.h"
#include "tools/hosa/time_left.h"

using namespace hosa;

TEST_CASE("each resource has its own time left, and the least of them counts") {
  Exhaustion exhaustion;
  for (double now = 0; now < 20; now += 0.1)
    exhaustion.step({1e9 - 1e6 * now, 5e8, 32000 - 100 * now, std::numeric_limits<double>::quiet_NaN()}, now);
  const TimeLeft& left = exhaustion.left();
  CHECK(left.memory_s == Approx(980).epsilon(0.01));
  CHECK(left.tasks_s == Approx(300).epsilon(0.01));
  CHECK(left.swap_s == detect::kInfinity);
  CHECK(left.open_files_s == detect::kInfinity);
  CHECK(left.least_s() == left.tasks_s);
  JsonLine line;
  left.describe(line);
  const std::string text(line.finish());
  CHECK(text.find("\"swap\":null") != std::string::npos);
  CHECK(text.find("\"ttf\":{\"memory\":98") != std::string::npos);
}
