#include "detect/quantile.h"

namespace hosa::detect {

void Quantile::insert_early(double x) {
  auto at = static_cast<std::size_t>(count_);
  for (; at > 0 && height_[at - 1] > x; --at) height_[at] = height_[at - 1];
  height_[at] = x;
  count_ += 1;
}

void Quantile::add(double x) {
  if (count_ < 5) return insert_early(x);
  std::size_t cell = 0;  // x lies between markers cell and cell + 1
  if (x < height_[0]) {
    height_[0] = x;
  } else if (x >= height_[4]) {
    height_[4] = x;
    cell = 3;
  } else {
    while (x >= height_[cell + 1]) ++cell;
  }
  for (std::size_t i = cell + 1; i < 5; ++i) position_[i] += 1;
  count_ += 1;
  const double share[5] = {0, probability_ / 2, probability_, (1 + probability_) / 2, 1};
  for (std::size_t i = 1; i <= 3; ++i) adjust(i, 1 + (count_ - 1) * share[i]);
}

// Moves marker i one place towards its wanted position, its height along a parabola through its neighbours, or along a
// line where the parabola would break the order.
void Quantile::adjust(std::size_t i, double wanted) {
  const double off = wanted - position_[i];
  const double room_above = position_[i + 1] - position_[i];
  const double room_below = position_[i - 1] - position_[i];
  if (!((off >= 1 && room_above > 1) || (off <= -1 && room_below < -1))) return;
  const double step = off >= 1 ? 1 : -1;
  const double above = (height_[i + 1] - height_[i]) / room_above;
  const double below = (height_[i - 1] - height_[i]) / room_below;
  const double parabola =
      height_[i] + step / (room_above - room_below) * ((step - room_below) * above + (room_above - step) * below);
  if (height_[i - 1] < parabola && parabola < height_[i + 1])
    height_[i] = parabola;
  else
    height_[i] += step * (step > 0 ? above : below);
  position_[i] += step;
}

bool Quantile::resume(double count, const std::array<double, 5>& heights, const std::array<double, 5>& positions) {
  if (!(count >= 5 && count <= 1e15) || positions[0] != 1 || positions[4] != count) return false;
  for (std::size_t i = 0; i < 5; ++i) {
    if (!(heights[i] >= -1e12 && heights[i] <= 1e12)) return false;
    if (i > 0 && !(heights[i] >= heights[i - 1] && positions[i] > positions[i - 1])) return false;
  }
  count_ = count;
  height_ = heights;
  position_ = positions;
  return true;
}

void Quantile::halve() {
  if (count_ < 64) return;
  for (double& position : position_) position = 1 + (position - 1) / 2;
  count_ = position_[4];
}

double Quantile::marker(std::size_t i, double probability) const {
  if (count_ >= 5) return height_[i];
  if (count_ < 1) return 0;
  return height_[static_cast<std::size_t>(probability * (count_ - 1) + 0.5)];
}

}  // namespace hosa::detect
