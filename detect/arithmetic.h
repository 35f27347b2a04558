// The elementary functions of this room, our own: the C libraries differ in their last bits (musl and glibc in 68
// log1p, 76 exp and 9 log of 200,000 arguments), and `replay` must print the same bytes everywhere. Built only from
// IEEE +, -, *, / and square root, which are exact on every machine as long as nothing is contracted to fma
// (-ffp-contract=off). Relative error below 2e-15, measured against glibc in test/detect/arithmetic.cpp.
#pragma once
#include <cstddef>
#include <limits>

namespace hosa::detect {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

// ln x. x > 0; 0 answers -infinity, a negative x or NaN answers NaN.
double natural_log(double x);
// ln(1 + x) without losing small x. x > -1.
double log_one_plus(double x);
// x[i] = ln(1 + x[i]) of n finite numbers that are not negative: two at a time, the same bits as one by one.
void log_one_plus_each(double* x, std::size_t n);
// e^x; 0 below -745, infinity above 709.78.
double exponential(double x);
// e^x - 1 without losing small x.
double exponential_minus_one(double x);

inline double square_root(double x) {
  return __builtin_sqrt(x);
}
inline bool is_finite(double x) {
  return __builtin_isfinite(x);
}

// Two doubles side by side: one SSE2 or NEON register, the same IEEE operations as one after the other, so the same
// bits. Written out because compilers will not vectorise these loops at -O2.
using Two = double __attribute__((vector_size(16)));
inline Two two(const double* at) {  // wherever it lies: compilers make one unaligned load of it
  Two pair;
  __builtin_memcpy(&pair, at, sizeof pair);
  return pair;
}
inline void put(double* at, Two pair) {
  __builtin_memcpy(at, &pair, sizeof pair);
}

// Sum of a[i] * b[i], always added in this order: four running sums, then (0 + 1) + (2 + 3), then the rest. Four sums
// because with one each addition would wait for the one before.
inline double dot(const double* a, const double* b, std::size_t n) {
  Two low{}, high{};
  std::size_t i = 0;
  for (; i + 4 <= n; i += 4) {
    low += two(a + i) * two(b + i);
    high += two(a + i + 2) * two(b + i + 2);
  }
  double sum = (low[0] + low[1]) + (high[0] + high[1]);
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

// A weight `a` of detection.md belongs to one step of 0.1 s. Over another interval the same forgetting is
// 1 - (1 - a)^(10 dt), so that all time constants stay what they are when the polling interval changes.
class Decay {
 public:
  explicit Decay(double weight_per_tenth) : per_second_(10 * log_one_plus(-weight_per_tenth)) {}
  double weight(double seconds) const { return -exponential_minus_one(per_second_ * seconds); }

 private:
  double per_second_;
};

}  // namespace hosa::detect
