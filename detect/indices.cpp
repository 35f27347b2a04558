#include "detect/indices.h"

#include <algorithm>

#include "detect/arithmetic.h"

namespace hosa::detect {
namespace {

constexpr double kLn2 = 0.6931471805599453;

double positive(double x) {
  return x > 0 && is_finite(x) ? x : 0;
}

}  // namespace

double entropy(std::span<const double> counts) {
  double total = 0, sum = 0;
  for (const double count : counts) total += positive(count);
  if (!(total > 0)) return 0;
  for (const double count : counts) {
    const double p = positive(count) / total;
    if (p > 0) sum -= p * natural_log(p);
  }
  return sum / kLn2;
}

double fragmentation_entropy(std::span<const double> free_blocks, std::size_t orders) {
  if (orders < 2) return 0;
  double pages_in_all = 0, sum = 0;
  for (std::size_t zone = 0; zone + orders <= free_blocks.size(); zone += orders) {
    const auto blocks = free_blocks.subspan(zone, orders);
    double pages = 0, size = 1;
    for (const double count : blocks) {
      pages += positive(count) * size;
      size *= 2;
    }
    pages_in_all += pages;
    sum += pages * entropy(blocks);
  }
  return pages_in_all > 0 ? sum * kLn2 / natural_log(static_cast<double>(orders)) / pages_in_all : 0;
}

double kernel_share(double kernel_seconds, double user_seconds) {
  const double kernel = positive(kernel_seconds), busy = kernel + positive(user_seconds);
  return busy > 0 ? kernel / busy : 0;
}

double work_efficiency(double useful, double used, double normal_useful, double normal_used) {
  if (!(used > 0) || !(normal_useful > 0) || !(normal_used > 0)) return 1;
  return (positive(useful) / used) / (normal_useful / normal_used);
}

double propagation_index(const Propagation& now, const PropagationScale& scale) {
  const double raw[3] = {now.new_outbound_per_second, now.destination_entropy, now.births_per_second};
  double part[4], weights = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const double x = positive(raw[i]), reference = positive(scale.reference[i]);
    part[i] = x > 0 ? x / (x + reference) : 0;
  }
  part[3] = std::min(1.0, positive(now.correlation));
  for (const double weight : scale.weight) weights += positive(weight);
  double sum = 0;
  for (std::size_t i = 0; i < 4; ++i) sum += part[i] * (weights > 0 ? positive(scale.weight[i]) / weights : 0.25);
  return sum;
}

double excess_provisioning(std::span<const double> window_means, double capacity) {
  double largest = 0;
  for (const double mean : window_means) largest = std::max(largest, positive(mean));
  return capacity > 0 ? std::clamp(1 - largest / capacity, 0.0, 1.0) : 0;
}

double excess_provisioning(std::span<const double> per_resource) {
  double least = 1;
  for (const double index : per_resource) least = std::min(least, index);
  return least;
}

double time_to_failure(double left, double slope) {
  if (!(slope < 0)) return kInfinity;
  return left > 0 ? left / -slope : 0;
}

void RunningCorrelation::add(double x, double y, double weight) {
  if (!is_finite(x) || !is_finite(y)) return;
  if (!started_) {
    started_ = true;
    x_ = x;
    y_ = y;
    return;
  }
  const double dx = x - x_, dy = y - y_, keep = 1 - weight;
  x_ += weight * dx;
  y_ += weight * dy;
  xx_ = keep * (xx_ + weight * dx * dx);
  yy_ = keep * (yy_ + weight * dy * dy);
  xy_ = keep * (xy_ + weight * dx * dy);
}

double RunningCorrelation::value() const {
  const double size = square_root(xx_) * square_root(yy_);
  return size > 0 ? std::clamp(xy_ / size, -1.0, 1.0) : 0;
}

}  // namespace hosa::detect
