#include "detect/number_format.h"

#include <cmath>
#include <cstring>
#include <random>
#include <string>

#include "test/catch.h"

using namespace hosa::detect;

namespace {
std::string text(double value) {
  char out[kNumberChars];
  return {out, format_number(value, out)};
}
}  // namespace

TEST_CASE("numbers print as their manual says") {
  CHECK(text(0) == "0");
  CHECK(text(-0.0) == "0");
  CHECK(text(1) == "1");
  CHECK(text(-2.5) == "-2.5");
  CHECK(text(10) == "10");
  CHECK(text(0.1) == "0.1");
  CHECK(text(0.0421) == "0.0421");
  CHECK(text(14.8731) == "14.8731");
  CHECK(text(3.14159265) == "3.14159");
  CHECK(text(0.9999996) == "1");
  CHECK(text(9.999996) == "10");
  CHECK(text(99999.96) == "100000");
  CHECK(text(99999.94) == "99999.9");
  CHECK(text(123456) == "123456");
  CHECK(text(1234567.8) == "1234568");
  CHECK(text(5368709120) == "5368709120");
  CHECK(text(999999999999999) == "999999999999999");
  CHECK(text(1e15) == "1e+15");
  CHECK(text(2.25e16) == "2.25e+16");
  CHECK(text(0.00001) == "0.00001");
  CHECK(text(0.000009) == "9e-06");
  CHECK(text(0.0001) == "0.0001");
  CHECK(text(1.5e-7) == "1.5e-07");
  CHECK(text(1.7976931348623157e308) == "1.79769e+308");
  CHECK(text(-5e-324) == "-4.94066e-324");
}

TEST_CASE("what JSON cannot carry prints null") {
  CHECK(text(NAN) == "null");
  CHECK(text(INFINITY) == "null");
  CHECK(text(-INFINITY) == "null");
}

TEST_CASE("a buffer that is too small gets nothing") {
  char out[3] = {'x', 'x', 'x'};
  CHECK(format_number(1234, out) == 0);
  CHECK(out[0] == 'x');
  CHECK(format_number(123, out) == 3);
}

TEST_CASE("any double reads back within half a unit of the sixth digit and fits the capacity") {
  std::mt19937_64 random(9);
  for (int i = 0; i < 200000; ++i) {
    const uint64_t bits = random();
    double value;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const std::string printed = text(value);
    REQUIRE(!printed.empty());
    const double back = std::strtod(printed.c_str(), nullptr);
    if (std::abs(value) > 1e-300) REQUIRE(std::abs(back - value) <= 5.0001e-6 * std::abs(value));
  }
}
