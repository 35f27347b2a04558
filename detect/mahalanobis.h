// How far a vector lies from the learned normal, measured in the learned normal's own spread, and which dimensions
// carry the distance.
//
//   A = (1-g)(S + E) + g diag(S + E),  A = L L',  E = diag(e_j^2): the least variance that is believed
//   M = L^-1,  w = M d,  D^2 = |w|^2,   c_j = d_j (M' w)_j,   sum c_j = D^2
//
// The innovations w (what dimension i does beyond what those before it explain) have variance 1, but kernel
// metrics are 6-12 times more kurtotic than a Gaussian: a dimension that is still for minutes and then jumps gives
// |w| = 10..50 in normal time, and one such dimension rules D. The tempered distance divides each innovation by how far
// its own 0.99 quantile in warm-up exceeded 3 (a Gaussian's is 2.6) and lets it grow only with the logarithm beyond 8:
//   T^2 = sum u_i^2,  u_i = |w_i| / k_i,  k_i = max(1, q99_i / 3),  beyond c = 8: c (1 + ln(u_i / c))
// Measured with rows as 0.1 s (VUS-PR, D -> k alone -> T): A .51 .54 .53, GA .73 .74 .75, 10 JS .36 .46 .46, 4 SMD .57
// .56 .54, 6 ASD .33 .32 .32; false alarms of one threshold for both recordings: it lies at 4.1 sqrt n for GA and 2.3
// for A by D, at 1.9 and 2.4 by T. The order of the dimensions matters little: reversed A .52, JS .43, SMD .55.
// A changes by a full-rank diagonal with every sample, so rank-one updates would be wrong; it is rebuilt from time to
// time (Detector decides) and used in between.
//
// What is kept is M, not L: a row of it is a regression of its own, w_i = (d_i - what 0..i-1 explain) / its spread, and
// needs no other row. So rows are replaced one by one, each as soon as it is made from a snapshot of A, and the metric
// that serves meanwhile is whole at any moment; one triangle does (L would need two, the old one until the last row of
// the new). And a distance is two products without a chain of divisions: n = 24 70 ns, by two triangular solves 200.
//   x = M_(<i) a_i,   r^2 = a_ii - |x|^2,   row i of M = (-M_(<i)' x, 1) / r
// All rows are n^3/3 multiplications (L alone n^3/6), one distance n^2.
//
// What ships keeps M in floats: the shrinkage leaves no direction of the correlation matrix a variance below 2/N, 3e-4
// at N = 6000, a float rounds by 6e-8. On A and GA D differs by at most 1e-5 of itself from that of doubles
// (2e-4 where 18 of 36 dimensions are copies of each other). The tests
// hold the same lines in doubles against exact values.
#pragma once
#include "detect/moments.h"

namespace hosa::detect {

template <class Real>
class Metric {
 public:
  explicit Metric(std::size_t n) : n_(n) {
    ease_.fill(1);
    lean_.fill(1);
  }

  // Takes g by shrink.h from the moments' effective samples, of which `correlated` in a row count as one. False (and
  // the earlier metric stays) if A is not positive definite.
  bool rebuild(const Moments& moments, const Vector& floor_squared, double correlated = 1);
  // The same with a given g.
  bool rebuild(const Triangle<double>& covariance, double g, const Vector& floor_squared);

  // The same in portions, so that no sample pays for all of it: begin() takes A as it is now and makes the first half
  // of the rows, an eighth of the work; each advance() makes more until `part` (0..1) of the work is done. True once
  // the last row is made, or one was refused (it stays as it was).
  class Snapshot {  // rows n/2.. of A, three quarters of it
   public:
    Real* row(std::size_t n, std::size_t i) { return entry_.data() + (at(i) - at(n / 2)); }
    const Real* row(std::size_t n, std::size_t i) const { return entry_.data() + (at(i) - at(n / 2)); }

   private:
    static constexpr std::size_t at(std::size_t i) { return i * (i + 1) / 2; }
    std::array<Real, at(kMaxDimensions) - at(kMaxDimensions / 2)> entry_{};
  };
  // Before begin() and a sample earlier, begin_shrinkage() takes g.
  void begin_shrinkage(const Moments& moments, const Vector& floor_squared, double correlated);
  void begin(Snapshot& snapshot, const Triangle<double>& covariance, const Vector& floor_squared);
  bool advance(const Snapshot& snapshot, double part);

  struct Distance {
    double plain = 0;     // D
    double tempered = 0;  // T <= D
  };
  // D and T of the deviation d; innovation gets w, tempered u with the sign of w, contribution c_j.
  Distance distance(std::span<const double> d, std::span<double> innovation, std::span<double> tempered,
                    std::span<double> contribution) const;

  // The spread of innovation i: of what dimensions 0..i-1 leave of i unexplained.
  double spread(std::size_t i) const { return 1 / static_cast<double>(rows_[i][i]); }
  // u of the innovations w with no spread taken for less than finest_i; answers |u|.
  double temper(std::span<const double> innovation, const Floats& finest, std::span<double> tempered) const;

  // Load direction phi = (1/n) sum s_j d_j / sigma_j, sigma_j = sqrt(A_jj): > 0 more load than normal, < 0 less.
  double load_direction(std::span<const double> d, std::span<const Dimension> dimensions) const;

  // k_i from the 0.99 quantiles of |w_i|.
  void temper(std::size_t i, double quantile99) { set_tail(i, quantile99 > kTailFrom ? quantile99 / kTailFrom : 1); }
  double tail(std::size_t i) const { return 1 / ease_[i]; }
  void set_tail(std::size_t i, double k) { ease_[i] = static_cast<Real>(1 / k); }

  std::size_t size() const { return n_; }
  bool ready() const { return ready_; }
  double shrinkage() const { return g_; }
  const Triangle<Real>& inverse_factor() const { return rows_; }  // M

 private:
  static constexpr double kTailFrom = 3, kCompressFrom = 8;
  using Reals = std::array<Real, kMaxDimensions>;

  bool make_row(std::size_t i, const Real* a);
  double compress(std::span<double> u, double farthest) const;

  std::size_t n_;
  Triangle<Real> rows_;  // M
  Reals ease_, lean_;    // 1 / k_i and 1 / sigma_j
  std::size_t rows_done_ = 0;
  double g_ = 1;
  bool ready_ = false;
};

using Mahalanobis = Metric<float>;

}  // namespace hosa::detect
