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
template <class Real>  // double, or two of them side by side
Real twice_atanh(Real s) {
  const Real t = s * s, t2 = t * t;
  Real even = t2 * kOddInverse[0] + kOddInverse[2];  // two sums in t^2: neither waits for the other
  Real odd = t2 * kOddInverse[1] + kOddInverse[3];
  for (std::size_t i = 4; i < 10; i += 2) {
    even = even * t2 + kOddInverse[i];
    odd = odd * t2 + kOddInverse[i + 1];
  }
  even = even * t2 + kOddInverse[10];
  return 2 * s + 2 * s * (t * (even + t * odd));
}

// The weights of a step are e^r - 1 of mostly tiny r: seven terms less. The first left out, r^7/5040, is 2e-16 of r.
constexpr double kTiny = 0.01;
double tiny_exponential_minus_one(double r) {
  const double r2 = r * r;
  return r + r2 * ((0.5 + r * (1.0 / 6)) + r2 * ((1.0 / 24 + r * (1.0 / 120)) + r2 * (1.0 / 720)));
}

// e^r - 1 = r + r^2/2! + ... for |r| <= 0.36; the first term left out, r^15/15!, is 2e-19. Even and odd powers apart:
// neither sum waits for the other.
constexpr double kInverseFactorial[] = {
    1.0 / 87178291200, 1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
    1.0 / 5040,        1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       1.0 / 2};
double small_exponential_minus_one(double r) {
  const double r2 = r * r;
  double even = kInverseFactorial[0], odd = kInverseFactorial[1];
  for (std::size_t i = 2; i < 12; i += 2) {
    even = even * r2 + kInverseFactorial[i];
    odd = odd * r2 + kInverseFactorial[i + 1];
  }
  even = even * r2 + kInverseFactorial[12];
  return r + r2 * (even + r * odd);
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

namespace {

using TwoInts = int64_t __attribute__((vector_size(16)));

Two where(TwoInts mask, Two yes, Two no) {
  return std::bit_cast<Two>((mask & std::bit_cast<TwoInts>(yes)) | (~mask & std::bit_cast<TwoInts>(no)));
}

// As log_one_plus of each, both ways reckoned and one chosen; 0 <= x.
Two log_one_plus_two(Two x) {
  const Two u = 1 + x;
  const auto bits = std::bit_cast<TwoInts>(u);
  // An integer below 2^52 as the low bits of 2^52: SSE2 has no other way to turn it into a double.
  Two exponent = std::bit_cast<Two>((bits >> 52) | 0x4330000000000000) - (0x1p52 + 1023);
  Two m = std::bit_cast<Two>((bits & 0xfffffffffffff) | 0x3ff0000000000000);
  const TwoInts large = m > 1.4142135623730951;
  m = where(large, m / 2, m);
  exponent = where(large, exponent + 1, exponent);
  const Two lost = where(x >= 1, 1 - (u - x), x - (u - 1)) / u;
  const TwoInts small = x < 0.41;
  const Two series = twice_atanh(where(small, x, m - 1) / where(small, 2 + x, m + 1));
  const Two whole = exponent * kLn2High + (series + exponent * kLn2Low) + lost;
  return where(small, series, whole);
}

}  // namespace

void log_one_plus_each(double* x, std::size_t n) {
  std::size_t i = 0;
  for (; i + 2 <= n; i += 2) put(x + i, log_one_plus_two(two(x + i)));
  if (i < n) x[i] = log_one_plus(x[i]);
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
