#include "detect/arithmetic.h"

#include <bit>
#include <cstdint>

namespace hosa::detect {
namespace {

// ln 2 in two parts; the high part has 21 trailing zero bits, so k * kLn2High is exact for every exponent k.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kInverseLn2 = 1.4426950408889634;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// ln((1 + s) / (1 - s)) = 2s (1 + s^2/3 + s^4/5 + ...). |s| <= 0.1716 makes the first term left out 1e-18.
constexpr double kOddInverse[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                                  1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3};
double twice_atanh(double s) {
  const double t = s * s, t2 = t * t;
  double even = kOddInverse[0], odd = kOddInverse[1];  // two sums in t^2: neither waits for the other
  for (std::size_t i = 2; i < 10; i += 2) {
    even = even * t2 + kOddInverse[i];
    odd = odd * t2 + kOddInverse[i + 1];
  }
  even = even * t2 + kOddInverse[10];
  return 2 * s + 2 * s * (t * (even + t * odd));
}

// The weights of a step are e^r - 1 of mostly tiny r: seven terms less. The first left out, r^7/5040, is 2e-16 of r.
constexpr double kTiny = 0.01;
double tiny_exponential_minus_one(double r) {
  return r + r * r * ((((r / 720 + 1.0 / 120) * r + 1.0 / 24) * r + 1.0 / 6) * r + 0.5);
}

// e^r - 1 = r + r^2/2! + ... for |r| <= 0.36; the first term left out, r^15/15!, is 2e-19.
constexpr double kInverseFactorial[] = {
    1.0 / 87178291200, 1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
    1.0 / 5040,        1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       1.0 / 2};
double small_exponential_minus_one(double r) {
  double sum = 0;
  for (const double coefficient : kInverseFactorial) sum = sum * r + coefficient;
  return r + r * r * sum;
}

double power_of_two(int k) {
  return std::bit_cast<double>(static_cast<uint64_t>(k + 1023) << 52);
}

}  // namespace

double natural_log(double x) {
  if (!(x >= 0)) return kNan;
  if (x == 0) return -kInfinity;
  if (x == kInfinity) return x;
  int exponent = 0;
  if (x < std::numeric_limits<double>::min()) {  // subnormal: lift it first
    x *= 0x1p54;
    exponent = -54;
  }
  const auto bits = std::bit_cast<uint64_t>(x);
  exponent += static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);
  if (m > 1.4142135623730951) {  // keep m within sqrt(1/2)..sqrt(2): then exponent * ln 2 never cancels
    m /= 2;
    ++exponent;
  }
  return exponent * kLn2High + (twice_atanh((m - 1) / (m + 1)) + exponent * kLn2Low);
}

double log_one_plus(double x) {
  if (x > -0.29 && x < 0.41) return twice_atanh(x / (2 + x));
  const double u = 1 + x;
  if (!is_finite(u) || u <= 0) return natural_log(u);
  const double lost = x >= 1 ? 1 - (u - x) : x - (u - 1);  // what 1 + x rounded away
  return natural_log(u) + lost / u;
}

double exponential(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return kInfinity;
  if (x < -745.2) return 0;
  const int k = static_cast<int>(x * kInverseLn2 + (x < 0 ? -0.5 : 0.5));
  const double r = (x - k * kLn2High) - k * kLn2Low;
  const double value = 1 + small_exponential_minus_one(r);
  const int half = k / 2;  // two steps: neither 2^1024 nor a subnormal power has a bit pattern of this form
  return value * power_of_two(half) * power_of_two(k - half);
}

double exponential_minus_one(double x) {
  if (x > -kTiny && x < kTiny) return tiny_exponential_minus_one(x);
  if (x > -0.35 && x < 0.35) return small_exponential_minus_one(x);
  return exponential(x) - 1;
}

}  // namespace hosa::detect
