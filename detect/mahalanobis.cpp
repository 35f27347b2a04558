#include "detect/mahalanobis.h"

#include <algorithm>

#include "detect/arithmetic.h"
#include "detect/shrink.h"

namespace hosa::detect {
namespace {

// Farther than this is as far: sums of products of floats stay finite. What is no number lies there, too.
constexpr double kFarthest = 1e15;

double within_reach(double d) {
  if (!(d > -kFarthest)) return -kFarthest;
  return d < kFarthest ? d : kFarthest;
}

template <class Real>
double square(Real x) {
  return static_cast<double>(x) * static_cast<double>(x);
}

}  // namespace

template <class Real>
bool Metric<Real>::rebuild(const Moments& moments, const Vector& floor_squared, double correlated) {
  const double samples = moments.effective_samples() / correlated;
  return rebuild(moments.covariance, detect::shrinkage(moments.covariance, floor_squared, n_, samples), floor_squared);
}

template <class Real>
bool Metric<Real>::rebuild(const Triangle<double>& covariance, double g, const Vector& floor_squared) {
  Metric made = *this;
  Snapshot snapshot;
  made.g_ = g;
  made.begin(snapshot, covariance, floor_squared);
  if (!made.advance(snapshot, 1) || made.rows_done_ < n_) return false;
  *this = made;
  return true;
}

template <class Real>
void Metric<Real>::begin_shrinkage(const Moments& moments, const Vector& floor_squared, double correlated) {
  g_ = detect::shrinkage(moments.covariance, floor_squared, n_, moments.effective_samples() / correlated);
}

template <class Real>
void Metric<Real>::begin(Snapshot& snapshot, const Triangle<double>& covariance, const Vector& floor_squared) {
  const double keep = 1 - g_;
  Reals early;
  rows_done_ = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    Real* const row = i < n_ / 2 ? early.data() : snapshot.row(n_, i);
    for (std::size_t j = 0; j < i; ++j) row[j] = static_cast<Real>(keep * covariance[i][j]);
    row[i] = static_cast<Real>(covariance[i][i] + floor_squared[i]);
    if (i < n_ / 2 && rows_done_ == i && make_row(i, row)) ++rows_done_;
  }
}

// A is at least g diag(A), so what the earlier dimensions leave of a variance is at least g of it, unless S was none.
template <class Real>
bool Metric<Real>::make_row(std::size_t i, const Real* a) {
  Reals x, y;
  multiply(rows_, i, a, x.data());
  double explained[4] = {};  // sums apart: none waits for the other
  std::size_t k = 0;
  for (; k + 4 <= i; k += 4)
    for (std::size_t lane = 0; lane < 4; ++lane) explained[lane] += square(x[k + lane]);
  for (; k < i; ++k) explained[0] += square(x[k]);
  const double variance = static_cast<double>(a[i]);
  const double left = variance - ((explained[0] + explained[1]) + (explained[2] + explained[3]));
  if (!(left > 0.5 * g_ * variance) || !is_finite(left)) return false;
  const double inverse = 1 / square_root(left);
  multiply_transposed(rows_, i, x.data(), y.data());
  Real* const row = rows_[i];
  const Real scale = static_cast<Real>(-inverse);
  for (k = 0; k < i; ++k) row[k] = scale * y[k];
  row[i] = static_cast<Real>(inverse);
  lean_[i] = static_cast<Real>(1 / square_root(variance));
  return true;
}

template <class Real>
bool Metric<Real>::advance(const Snapshot& snapshot, double part) {
  if (rows_done_ < n_ / 2) return true;
  const double size = static_cast<double>(n_), wanted = part * size * size * size;
  while (rows_done_ < n_) {
    const double done = static_cast<double>(rows_done_);  // row i is i^2 multiplications
    if (done * done * done >= wanted && part < 1) return false;
    if (!make_row(rows_done_, snapshot.row(n_, rows_done_))) return true;
    ++rows_done_;
  }
  ready_ = true;
  return true;
}

template <class Real>
typename Metric<Real>::Distance Metric<Real>::distance(std::span<const double> d, std::span<double> innovation,
                                                       std::span<double> tempered,
                                                       std::span<double> contribution) const {
  Reals x, w, back;
  for (std::size_t j = 0; j < n_; ++j) x[j] = static_cast<Real>(within_reach(d[j]));
  multiply(rows_, n_, x.data(), w.data());
  multiply_transposed(rows_, n_, w.data(), back.data());
  double farthest = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    innovation[i] = static_cast<double>(w[i]);
    const double u = innovation[i] * static_cast<double>(ease_[i]);
    tempered[i] = u;
    farthest = u * u > farthest ? u * u : farthest;
    contribution[i] = within_reach(d[i]) * static_cast<double>(back[i]);
  }
  return {square_root(dot(innovation.data(), innovation.data(), n_)), compress(tempered, farthest)};
}

template <class Real>
double Metric<Real>::temper(std::span<const double> innovation, const Floats& finest,
                            std::span<double> tempered) const {
  double farthest = 0;
  for (std::size_t i = 0; i < n_; ++i) {
    const double u =
        innovation[i] * static_cast<double>(ease_[i] / std::max(Real{1}, static_cast<Real>(finest[i]) * rows_[i][i]));
    tempered[i] = u;
    farthest = u * u > farthest ? u * u : farthest;
  }
  return compress(tempered, farthest);
}

// Each u beyond 8 grows with the logarithm from there; farthest: the largest square. Answers |u|.
template <class Real>
double Metric<Real>::compress(std::span<double> u, double farthest) const {
  for (std::size_t i = 0; farthest > kCompressFrom * kCompressFrom && i < n_; ++i) {
    const double size = u[i] < 0 ? -u[i] : u[i];
    if (size > kCompressFrom) u[i] *= kCompressFrom / size * (1 + natural_log(size / kCompressFrom));
  }
  return square_root(dot(u.data(), u.data(), n_));
}

template <class Real>
double Metric<Real>::load_direction(std::span<const double> d, std::span<const Dimension> dimensions) const {
  double sum = 0;
  for (std::size_t j = 0; j < n_; ++j) sum += dimensions[j].sign * d[j] * static_cast<double>(lean_[j]);
  return n_ > 0 ? sum / static_cast<double>(n_) : 0;
}

template class Metric<float>;
template class Metric<double>;

}  // namespace hosa::detect
