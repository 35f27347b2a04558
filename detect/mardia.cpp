#include "detect/mardia.h"

#include "detect/arithmetic.h"
#include "detect/mahalanobis.h"

namespace hosa::detect {
namespace {

Kurtosis against_gaussian(double kappa, std::size_t n, double samples) {
  const double size = static_cast<double>(n), expected = size * (size + 2);
  return {kappa, expected, (kappa - expected) / square_root(8 * expected / samples)};
}

}  // namespace

bool mardia_kurtosis(std::span<const double> rows, std::size_t n, Kurtosis& out) {
  if (n == 0 || n > kMaxDimensions || rows.size() < n) return false;
  const std::size_t count = rows.size() / n;
  Moments moments(n);
  for (std::size_t t = 0; t < count; ++t) moments.learn(rows.subspan(t * n, n), 1, 0, 0.1);
  Metric<double> metric(n);
  if (!metric.rebuild(moments.covariance, 0, Vector{})) return false;
  double sum = 0;
  for (std::size_t t = 0; t < count; ++t) {
    Vector d{}, w, u, c;
    for (std::size_t j = 0; j < n; ++j) d[j] = rows[t * n + j] - moments.mean[j];
    const double distance = metric.distance(d, w, u, c).plain;
    sum += distance * distance * distance * distance;
  }
  out = against_gaussian(sum / static_cast<double>(count), n, static_cast<double>(count));
  return true;
}

void RunningKurtosis::add(double distance, double weight) {
  const double fourth = distance * distance * distance * distance;
  if (!is_finite(fourth)) return;
  const double a = started_ ? weight : 1;
  started_ = true;
  mean_ += a * (fourth - mean_);
  concentration_ = (1 - a) * (1 - a) * concentration_ + a * a;
}

Kurtosis RunningKurtosis::value(std::size_t n) const {
  return started_ && n > 0 ? against_gaussian(mean_, n, 1 / concentration_) : Kurtosis{};
}

}  // namespace hosa::detect
