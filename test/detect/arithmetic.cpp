#include "detect/arithmetic.h"

#include <cmath>
#include <random>

#include "detect/dimension.h"
#include "test/catch.h"

using namespace hosa::detect;

namespace {
double relative_error(double got, double expected) {
  if (got == expected) return 0;
  return std::abs(got - expected) / std::abs(expected);
}
}  // namespace

TEST_CASE("logarithms and exponentials agree with glibc within 2e-15 over 200,000 arguments") {
  std::mt19937_64 random(1);
  std::uniform_real_distribution<double> exponent(-300, 300), small(-0.9, 4), wide(-700, 700), tiny(-1e-3, 1e-3);
  double log_error = 0, log1p_error = 0, exp_error = 0, expm1_error = 0;
  for (int i = 0; i < 200000; ++i) {
    const double x = std::pow(10, exponent(random));
    const double near_one = 1 + tiny(random);
    const double s = small(random), t = tiny(random), w = wide(random);
    log_error = std::max({log_error, relative_error(natural_log(x), std::log(x)),
                          relative_error(natural_log(near_one), std::log(near_one))});
    log1p_error =
        std::max({log1p_error, relative_error(log_one_plus(s), std::log1p(s)),
                  relative_error(log_one_plus(t), std::log1p(t)), relative_error(log_one_plus(x), std::log1p(x))});
    exp_error =
        std::max({exp_error, relative_error(exponential(w), std::exp(w)), relative_error(exponential(s), std::exp(s))});
    expm1_error = std::max({expm1_error, relative_error(exponential_minus_one(t), std::expm1(t)),
                            relative_error(exponential_minus_one(s), std::expm1(s))});
  }
  CHECK(log_error < 2e-15);
  CHECK(log1p_error < 2e-15);
  CHECK(exp_error < 2e-15);
  CHECK(expm1_error < 2e-15);
}

TEST_CASE("the ends of the number line are answered as IEEE would") {
  CHECK(natural_log(0) == -kInfinity);
  CHECK(natural_log(1) == 0);
  CHECK(std::isnan(natural_log(-1)));
  CHECK(std::isnan(natural_log(NAN)));
  CHECK(natural_log(kInfinity) == kInfinity);
  CHECK(relative_error(natural_log(5e-324), std::log(5e-324)) < 2e-15);
  CHECK(log_one_plus(0) == 0);
  CHECK(log_one_plus(-1) == -kInfinity);
  CHECK(std::isnan(log_one_plus(-2)));
  CHECK(log_one_plus(kInfinity) == kInfinity);
  CHECK(exponential(0) == 1);
  CHECK(exponential(710) == kInfinity);
  CHECK(exponential(-746) == 0);
  CHECK(exponential(kInfinity) == kInfinity);
  CHECK(exponential(-kInfinity) == 0);
  CHECK(std::isnan(exponential(NAN)));
  CHECK(relative_error(exponential(709.7), std::exp(709.7)) < 2e-15);
  CHECK(exponential(-744) == std::exp(-744));
}

TEST_CASE("a weight converted to other intervals forgets equally fast") {
  const Decay decay(0.2);
  CHECK(decay.weight(0.1) == Approx(0.2).epsilon(1e-14));
  CHECK(decay.weight(0) == 0);
  double kept_in_tenths = 1, kept_in_hundredths = 1;
  for (int i = 0; i < 5; ++i) kept_in_tenths *= 1 - decay.weight(0.1);
  for (int i = 0; i < 50; ++i) kept_in_hundredths *= 1 - decay.weight(0.01);
  CHECK(1 - decay.weight(0.5) == Approx(kept_in_tenths).epsilon(1e-13));
  CHECK(kept_in_hundredths == Approx(kept_in_tenths).epsilon(1e-13));
}

TEST_CASE("a value that was transformed comes back as itself") {
  using enum Kind;
  for (const Kind kind : {rate, share, count, fraction, number}) {
    const Dimension dimension{"x", "1", kind, 500, 1, 0.1, Resource::cpu, false};
    for (const double value : {1.0, 1.25, 3.5, 4711.0, 5e9}) {
      if (kind == share && value > 1.5) continue;
      CHECK(untransform(dimension, transform(dimension, value)) == Approx(value));
    }
  }
  const Dimension rate_of{"x", "1/s", rate, 500, 1, 0.1, Resource::cpu, true};
  CHECK(untransform(rate_of, 1e9) < 1e308);  // finite, whatever comes in
}

TEST_CASE("logarithms taken two by two have the bits of those taken one by one") {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> exponent(-18, 18), share(0, 2);
  for (std::size_t n = 0; n < 40; ++n) {
    double x[40], each[40];
    for (int round = 0; round < 500; ++round) {
      for (std::size_t i = 0; i < n; ++i)
        x[i] = each[i] = round % 3 == 0 ? share(random) : std::pow(10, exponent(random));
      if (n > 3) x[1] = each[1] = 0, x[2] = each[2] = 1e100;
      log_one_plus_each(each, n);
      for (std::size_t i = 0; i < n; ++i) CHECK(each[i] == log_one_plus(x[i]));
    }
  }
}
