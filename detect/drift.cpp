#include "detect/drift.h"

namespace hosa::detect {
namespace {

// The least change of y that a person would call a change.
double least_change(Kind kind) {
  switch (kind) {
    case Kind::rate:
    case Kind::count:
    case Kind::number: return 0.69;  // ln 2
    case Kind::share: return 0.2;
    case Kind::fraction: return 0.05;
  }
  return 0;
}

}  // namespace

std::size_t Drift::step(const Moments& moments, const Floats& spread, double dt) {
  const double a = decay_.weight(dt);
  double furthest = 1;
  left_seconds_ -= dt;
  for (std::size_t j = 0; j < moments.size(); ++j) {
    const double apart = moments.mean[j] - reference_[j];
    reference_[j] += a * apart;
    const double size = dimensions_[j].sign > 0 ? apart : dimensions_[j].sign < 0 ? -apart : apart < 0 ? -apart : apart;
    if (size <= kSpreads || size * static_cast<double>(spread[j]) <= least_change(dimensions_[j].kind)) continue;
    const double against = size / (kSpreads * square_root(moments.covariance[j][j]));
    if (against <= furthest) continue;
    furthest = against;
    which_ = j;
    left_seconds_ = kReportSeconds;
  }
  if (furthest > 1) reference_[which_] = moments.mean[which_];
  return which();
}

}  // namespace hosa::detect
