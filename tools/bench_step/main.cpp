// bench-step [ROWS [N]]: what one step of the detector costs, by number of dimensions: the 0.5, 0.99 and 0.999
// quantiles of single steps after the warm-up, in nanoseconds, of the best of five runs (the one with the smallest
// 0.999 quantile). The clock's own 20-30 ns are inside. Input: pseudo-random readings at 10 Hz, two thirds running
// totals.
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "detect/detector.h"
#include "tools/bench_step/plain.h"

namespace {

using hosa::detect::Detector;
using hosa::detect::Dimension;
using hosa::detect::Kind;
using hosa::detect::Resource;

double now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) * 1e9 + static_cast<double>(t.tv_nsec);
}

std::vector<Dimension> table(std::size_t n) {
  std::vector<Dimension> dimensions;
  for (std::size_t j = 0; j < n; ++j) {
    const bool rate = j % 3 != 0;
    dimensions.push_back(
        {"x", "1", rate ? Kind::rate : Kind::fraction, 100, 1, rate ? 0.15 : 0.005, Resource::cpu, rate});
  }
  return dimensions;
}

struct Quantiles {
  double p50, p99, p999;
};

struct Ours {
  explicit Ours(const std::vector<Dimension>& dimensions) : detector(std::make_unique<Detector>(dimensions)) {
    detector->begin(60);
  }
  bool step(const std::vector<double>& reading, double now) {
    detector->step(reading, now, true);
    return !detector->verdict().warming;
  }
  std::unique_ptr<Detector> detector;
};

#ifdef HOSA_HAS_EIGEN
struct Plain {
  explicit Plain(const std::vector<Dimension>& dimensions) : detector(dimensions) {}
  bool step(const std::vector<double>& reading, double) { return detector.step(reading) >= 0 && ++steps > 700; }
  hosa::PlainDetector detector;
  std::size_t steps = 0;
};
#endif

template <class Stepper>
Quantiles run(std::size_t n, std::size_t rows) {
  const auto dimensions = table(n);
  Stepper stepper(dimensions);
  std::vector<double> reading(n), spent;
  spent.reserve(rows + 700);
  uint64_t random = 88172645463325252;
  for (std::size_t t = 0; t < rows + 700; ++t) {
    for (std::size_t j = 0; j < n; ++j) {
      random ^= random << 13, random ^= random >> 7, random ^= random << 17;
      const double uniform = static_cast<double>(random >> 11) * 0x1p-53;
      reading[j] = j % 3 != 0 ? reading[j] + 100 * uniform : 0.5 + 0.01 * uniform;
    }
    const double before = now_ns();
    const bool ready = stepper.step(reading, 1000 + 0.1 * static_cast<double>(t));
    const double after = now_ns();
    if (ready) spent.push_back(after - before);
  }
  std::sort(spent.begin(), spent.end());
  const auto at = [&](double p) { return spent[static_cast<std::size_t>(p * static_cast<double>(spent.size() - 1))]; };
  return {at(0.5), at(0.99), at(0.999)};
}

template <class Stepper>
Quantiles best_of_five(std::size_t n, std::size_t rows) {
  Quantiles best = run<Stepper>(n, rows);
  for (int again = 1; again < 5; ++again) {
    const Quantiles other = run<Stepper>(n, rows);
    if (other.p999 < best.p999) best = other;
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t rows = argc > 1 ? static_cast<std::size_t>(std::atol(argv[1])) : 100000;
  const std::size_t only = argc > 2 ? static_cast<std::size_t>(std::atol(argv[2])) : 0;
  std::printf("state for 64 dimensions %zu bytes (for 36: see test/detect/state.cpp)\n", sizeof(Detector));
  std::printf("dimensions  p50 ns  p99 ns  p999 ns   plain Eigen: p50 ns  p99 ns  p999 ns\n");
  for (const std::size_t n : {16, 24, 36, 48}) {
    if (only > 0 && n != only) continue;
    const Quantiles ours = best_of_five<Ours>(n, rows);
    std::printf("%10zu  %6.0f  %6.0f  %7.0f", n, ours.p50, ours.p99, ours.p999);
#ifdef HOSA_HAS_EIGEN
    const Quantiles plain = best_of_five<Plain>(n, rows);
    std::printf("   %19.0f  %6.0f  %7.0f\n", plain.p50, plain.p99, plain.p999);
#else
    std::printf("   (libeigen3-dev is not installed)\n");
#endif
  }
}
