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
  blend_square(covariance, n_, keep, a, d.data());
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

template <class Real>
void Moments::rescale(const std::array<Real, kMaxDimensions>& shift, const std::array<Real, kMaxDimensions>& factor) {
  for (std::size_t i = 0; i < n_; ++i) {
    const double unit = static_cast<double>(factor[i]);
    mean[i] = (mean[i] - static_cast<double>(shift[i])) / unit;
    for (std::size_t j = 0; j <= i; ++j) covariance[i][j] /= unit * static_cast<double>(factor[j]);
  }
}
template void Moments::rescale(const Floats&, const Floats&);
template void Moments::rescale(const Vector&, const Vector&);

void Moments::resume(double learned_seconds, double effective_samples) {
  learned_seconds_ = learned_seconds;
  concentration_ = effective_samples > 0 ? 1 / effective_samples : 0;
}

void Lately::begin(const Moments& moments) {
  for (std::size_t i = 0; i < n_; ++i) {
    mean_[i] = static_cast<float>(moments.mean[i]);
    for (std::size_t j = 0; j <= i; ++j) covariance_[i][j] = static_cast<float>(moments.covariance[i][j]);
  }
}

void Lately::blend(std::span<const double> x, double a) {
  const float weight = static_cast<float>(a);
  Floats d;
  for (std::size_t i = 0; i < n_; ++i) {
    d[i] = static_cast<float>(x[i]) - mean_[i];
    mean_[i] += weight * d[i];
  }
  blend_square(covariance_, n_, 1 - weight, weight, d.data());
}

void Lately::shift(std::size_t i, double by) {
  mean_[i] += static_cast<float>(by);
}

// Twice the whole triangle less the diagonal is the whole matrix: one run over the triangle as it lies.
template <class Real>
double deformation(const Triangle<Real>& recent, const Triangle<double>& base, std::size_t n) {
  double apart[2] = {}, size[2] = {};
  const std::size_t entries = n * (n + 1) / 2;
  for (std::size_t k = 0; k < entries; ++k) {
    const double d = static_cast<double>(recent.entry[k]) - base.entry[k];
    apart[k % 2] += d * d;
    size[k % 2] += base.entry[k] * base.entry[k];
  }
  double apart_once = 0, size_once = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double d = static_cast<double>(recent[i][i]) - base[i][i];
    apart_once += d * d;
    size_once += base[i][i] * base[i][i];
  }
  const double whole = 2 * (size[0] + size[1]) - size_once;
  return whole > 0 ? square_root((2 * (apart[0] + apart[1]) - apart_once) / whole) : 0;
}
template double deformation(const Triangle<float>&, const Triangle<double>&, std::size_t);
template double deformation(const Triangle<double>&, const Triangle<double>&, std::size_t);

double trust_at(double distance, double tolerance) {
  const double ratio = tolerance / distance;
  return ratio < 1 ? ratio * ratio : 1;  // 1 also at distance 0
}

}  // namespace hosa::detect
