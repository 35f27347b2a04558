// The recipe as it is written down, in Eigen's terms and nothing else: what the detector's speed is measured beside.
// Without a window, a tempered distance, channels, regimes or anything that survives a restart; A is built and factored
// at one go every n/3 samples. Bench only; where Eigen is not installed (libeigen3-dev) there is no such column.
#pragma once
#if __has_include(<Eigen/Dense>)
#define HOSA_HAS_EIGEN 1
#include <Eigen/Dense>
#include <cmath>
#include <span>

#include "detect/dimension.h"

namespace hosa {

class PlainDetector {
 public:
  explicit PlainDetector(std::span<const detect::Dimension> dimensions)
      : dimensions_(dimensions), n_(static_cast<Eigen::Index>(dimensions.size())) {
    before_ = median_ = p_ = mu_ = Eigen::VectorXd::Zero(n_);
    spread_ = Eigen::VectorXd::Constant(n_, 0.1);
    s_ = Eigen::MatrixXd::Identity(n_, n_);
    a_ = s_;
    llt_.compute(a_);
  }

  // One reading, 0.1 s after the one before: totals or values. Answers s.
  double step(std::span<const double> reading) {
    Eigen::VectorXd y(n_);
    for (Eigen::Index j = 0; j < n_; ++j) {
      const auto& dimension = dimensions_[static_cast<std::size_t>(j)];
      const double now = reading[static_cast<std::size_t>(j)];
      const double value = dimension.cumulative ? (now - before_[j]) * 10 : now;
      before_[j] = now;
      y[j] = dimension.kind == detect::Kind::rate ? std::log1p(value / dimension.scale) : value;
    }
    const Eigen::VectorXd z = ((y - median_).cwiseQuotient(spread_)).cwiseMax(-30).cwiseMin(30);
    p_ += 0.2 * (z - p_);
    const Eigen::VectorXd d = p_ - mu_, w = llt_.matrixL().solve(d), back = llt_.matrixU().solve(w);
    contribution_ = d.cwiseProduct(back);
    const double distance = w.norm(), gate = 2 * std::sqrt(static_cast<double>(n_)) / distance;
    score_ += 0.2 * (distance - score_);
    const double a = std::max(0.02, std::min(1.0, gate * gate)) * std::max(1.0 / 6000, 1.0 / ++count_);
    mu_ += a * d;
    s_ = (1 - a) * (s_ + a * d * d.transpose());
    if (++since_ * 3 >= n_) rebuild();
    return score_;
  }

 private:
  void rebuild() {
    since_ = 0;
    a_ = s_;
    a_.diagonal().array() += 0.0044;
    const Eigen::VectorXd inverse = a_.diagonal().cwiseSqrt().cwiseInverse();
    const double size = static_cast<double>(n_), part = 1 - 2 / size, samples = std::min(count_, 12000.0);
    const double squares = (inverse.asDiagonal() * a_ * inverse.asDiagonal()).squaredNorm();
    const double g = std::min(1.0, (part * squares + size * size) / ((samples + part) * (squares - size)));
    const Eigen::VectorXd diagonal = a_.diagonal();
    a_ *= 1 - g;
    a_.diagonal() = diagonal;
    llt_.compute(a_);
  }

  std::span<const detect::Dimension> dimensions_;
  Eigen::Index n_, since_ = 0;
  Eigen::VectorXd before_, median_, spread_, p_, mu_, contribution_;
  Eigen::MatrixXd s_, a_;
  Eigen::LLT<Eigen::MatrixXd> llt_;
  double count_ = 0, score_ = 0;
};

}  // namespace hosa
#endif
