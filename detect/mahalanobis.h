// How far a vector lies from the learned normal, measured in the learned normal's own spread, and which dimensions
// carry the distance.
//
//   A = (1-g)(S + e^2 I) + g diag(S + e^2 I),  A = L L'
//   D^2 = |L^-1 d|^2,   c_j = d_j (A^-1 d)_j,   sum c_j = D^2
// A changes by a full-rank diagonal with every sample, so rank-one updates would be wrong; it is rebuilt from time to
// time (Detector decides) and used in between. One factorisation is O(n^3/6), one distance O(n^2).
#pragma once
#include "detect/moments.h"

namespace hosa::detect {

class Mahalanobis {
 public:
  explicit Mahalanobis(std::size_t n) : n_(n) {}

  // Takes g by shrink.h from the moments' effective samples. False (and the earlier metric stays) if A has no factor.
  bool rebuild(const Moments& moments, double floor_squared);
  // The same with a given g.
  bool rebuild(const Matrix& covariance, double g, double floor_squared);

  // D of the deviation d; contribution gets c_j.
  double distance(std::span<const double> d, std::span<double> contribution) const;

  // Load direction phi = (1/n) sum s_j d_j / sigma_j, sigma_j = sqrt(A_jj): > 0 more load than normal, < 0 less.
  double load_direction(std::span<const double> d, std::span<const Dimension> dimensions) const;

  bool ready() const { return ready_; }
  double shrinkage() const { return g_; }
  const Matrix& factor() const { return factor_; }

 private:
  std::size_t n_;
  Matrix factor_{};
  Vector sigma_{};
  double g_ = 1;
  bool ready_ = false;
};

}  // namespace hosa::detect
