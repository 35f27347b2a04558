#include "detect/moments.h"

#include "detect/arithmetic.h"

namespace hosa::detect {

void Moments::blend(std::span<const double> x, double a, double mean_a, double seconds) {
  const double keep = 1 - a;
  Vector d;
  for (std::size_t i = 0; i < n_; ++i) {
    d[i] = x[i] - mean[i];
    mean[i] += mean_a * d[i];
  }
  for (std::size_t i = 0; i < n_; ++i) {
    blend_scaled(covariance[i], keep, a * d[i], d.data(), i + 1);
  }
  learned_seconds_ += seconds;
  const double crowding = seconds > 0 && seconds < 0.1 ? 0.1 / seconds : 1;
  concentration_ = keep * keep * concentration_ + a * a * crowding;
}

void Moments::learn(std::span<const double> x, double trust, double forgetting, double seconds, double mean_trust) {
  if (trust <= 0 || seconds <= 0) return;
  const double young = seconds / (learned_seconds_ + seconds);
  const double a = young > forgetting ? young : forgetting;
  blend(x, trust * a, (trust > mean_trust ? trust : mean_trust) * a, seconds);
}

void Moments::damp(std::span<const double> factor) {
  for (std::size_t i = 0; i < n_; ++i)
    for (std::size_t j = 0; j <= i; ++j) covariance[i][j] *= factor[i] * factor[j];
}

void Moments::rescale(std::span<const double> shift, std::span<const double> factor) {
  for (std::size_t i = 0; i < n_; ++i) {
    mean[i] = (mean[i] - shift[i]) / factor[i];
    for (std::size_t j = 0; j <= i; ++j) covariance[i][j] /= factor[i] * factor[j];
  }
}

void Moments::resume(double learned_seconds, double effective_samples) {
  learned_seconds_ = learned_seconds;
  concentration_ = effective_samples > 0 ? 1 / effective_samples : 0;
}

double deformation(const Triangle<double>& recent, const Triangle<double>& base, std::size_t n) {
  double apart = 0, size = 0;
  Vector d;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) d[j] = recent[i][j] - base[i][j];
    apart += 2 * dot(d.data(), d.data(), i) + d[i] * d[i];
    size += 2 * dot(base[i], base[i], i) + base[i][i] * base[i][i];
  }
  return size > 0 ? square_root(apart / size) : 0;
}

double trust_at(double distance, double tolerance) {
  const double ratio = tolerance / distance;
  return ratio < 1 ? ratio * ratio : 1;  // 1 also at distance 0
}

}  // namespace hosa::detect
