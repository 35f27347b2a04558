// P2: a running quantile from five markers, no samples stored (Jain & Chlamtac, CACM 28(10), 1985).
//
// For p = 0.5 the markers at p/2 and (1+p)/2 are running quartiles, so one estimator gives median and spread: that is
// what the warm-up scales every dimension by. For p = 0.95 it gives the base of the tail (pot.h). Good to a few percent
// in the body of a distribution, 15 % off at .99 (vectors/p2.csv): do not use it further out.
#pragma once
#include <array>
#include <cstddef>

namespace hosa::detect {

// Real: what markers are kept in. A warm-up has three a dimension and keeps them in floats, which count to 16 million.
template <class Real>
class QuantileOf {
 public:
  QuantileOf() = default;
  explicit QuantileOf(double probability) : probability_(static_cast<Real>(probability)) {}

  void add(double x);
  // Halves the weight of everything seen so far: the markers stay, and follow later data again.
  void halve();

  double count() const { return static_cast<double>(position_[3]); }
  // The estimate; of fewer than five values, the nearest one in order. 0 before the first.
  double value() const { return marker(2, p()); }
  double lower() const { return marker(1, p() / 2); }        // quantile p/2
  double upper() const { return marker(3, (1 + p()) / 2); }  // quantile (1+p)/2

  // As it stood with these markers. False, and nothing changed, if they are none.
  bool resume(double count, const std::array<double, 5>& heights, const std::array<double, 5>& positions);
  const std::array<Real, 5>& heights() const { return height_; }
  std::array<Real, 5> positions() const { return {1, position_[0], position_[1], position_[2], position_[3]}; }

 private:
  double p() const { return static_cast<double>(probability_); }
  double marker(std::size_t i, double probability) const;
  void insert_early(double x);
  void adjust(std::size_t i, double wanted);

  Real probability_ = Real(0.5);
  std::array<Real, 5> height_{};
  std::array<Real, 4> position_{2, 3, 4, 0};  // of markers 1..4: the first is at 1, the last at what was counted
};

using Quantile = QuantileOf<double>;

}  // namespace hosa::detect
