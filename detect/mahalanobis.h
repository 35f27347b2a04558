// How far a vector lies from the learned normal, measured in the learned normal's own spread, and which dimensions
// carry the distance.
//
//   A = (1-g)(S + E) + g diag(S + E),  A = L L',  E = diag(e_j^2): the least variance that is believed
//   D^2 = |L^-1 d|^2,   c_j = d_j (A^-1 d)_j,   sum c_j = D^2
//
// The innovations w = L^-1 d (what dimension i does beyond what those before it explain) have variance 1, but kernel
// metrics are 6-12 times more kurtotic than a Gaussian: a dimension that is still for minutes and then jumps gives
// |w| = 10..50 in normal time, and one such dimension rules D. The tempered distance divides each innovation by how far
// its own 0.99 quantile in warm-up exceeded 3 (a Gaussian's is 2.6) and lets it grow only with the logarithm beyond 8:
//   T^2 = sum u_i^2,  u_i = |w_i| / k_i,  k_i = max(1, q99_i / 3),  beyond c = 8: c (1 + ln(u_i / c))
// Measured with rows as 0.1 s (VUS-PR, D -> k alone -> T): A .51 .54 .53, GA .73 .74 .75, 10 JS .36 .46 .46, 4 SMD .57
// .56 .54, 6 ASD .33 .32 .32; false alarms of one threshold for both recordings: it lies at 4.1 sqrt n for GA and 2.3
// for A by D, at 1.9 and 2.4 by T. The order of the dimensions matters little: reversed A .52, JS .43, SMD .55.
// A changes by a full-rank diagonal with every sample, so rank-one updates would be wrong; it is rebuilt from time to
// time (Detector decides) and used in between. One factorisation is n^3/6 multiplications, one distance n^2.
#pragma once
#include "detect/moments.h"

namespace hosa::detect {

class Mahalanobis {
 public:
  explicit Mahalanobis(std::size_t n) : n_(n) {
    tail_.fill(1);
    ease_.fill(1);
  }

  // Takes g by shrink.h from the moments' effective samples, of which `correlated` in a row count as one. False (and
  // the earlier metric stays) if A has no factor.
  bool rebuild(const Moments& moments, const Vector& floor_squared, double correlated = 1);
  // The same with a given g.
  bool rebuild(const Matrix& covariance, double g, const Vector& floor_squared);

  // The same in portions, so that no sample pays for all of it: begin() takes A as it is now, each advance() does rows
  // of the factor until `part` (0..1) of the work is done; the earlier metric serves until the last row is. True once
  // it was replaced, or given up.
  void begin(const Moments& moments, const Vector& floor_squared, double correlated);
  bool advance(double part);

  struct Distance {
    double plain = 0;     // D
    double tempered = 0;  // T <= D
  };
  // D and T of the deviation d; innovation gets w, tempered u with the sign of w, contribution c_j.
  Distance distance(std::span<const double> d, std::span<double> innovation, std::span<double> tempered,
                    std::span<double> contribution) const;

  // Load direction phi = (1/n) sum s_j d_j / sigma_j, sigma_j = sqrt(A_jj): > 0 more load than normal, < 0 less.
  double load_direction(std::span<const double> d, std::span<const Dimension> dimensions) const;

  // k_i from the 0.99 quantiles of |w_i|.
  void temper(std::size_t i, double quantile99) { set_tail(i, quantile99 > kTailFrom ? quantile99 / kTailFrom : 1); }
  const Vector& tail() const { return tail_; }
  void set_tail(std::size_t i, double k) {
    tail_[i] = k;
    ease_[i] = 1 / k;
  }

  bool ready() const { return ready_; }
  double shrinkage() const { return g_; }
  const Matrix& factor() const { return factor_[active_]; }  // L', upper triangle

 private:
  static constexpr double kTailFrom = 3, kCompressFrom = 8;

  std::size_t n_;
  void take(const Matrix& covariance, double g, const Vector& floor_squared);

  Matrix factor_[2] = {};  // the one that serves, and the one that is being made
  Vector inverse_[2] = {}, sigma_[2] = {};
  std::size_t active_ = 0;
  std::size_t rows_done_ = 0;
  double next_g_ = 1;
  Vector tail_, ease_;  // k_i and 1 / k_i
  double g_ = 1;
  bool ready_ = false;
};

}  // namespace hosa::detect
