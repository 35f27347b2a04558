#include "detect/quantile.h"

namespace hosa::detect {

template <class Real>
void QuantileOf<Real>::insert_early(double value) {
  const Real x = static_cast<Real>(value);
  auto at = static_cast<std::size_t>(position_[3]);
  for (; at > 0 && height_[at - 1] > x; --at) height_[at] = height_[at - 1];
  height_[at] = x;
  position_[3] += 1;
}

template <class Real>
void QuantileOf<Real>::add(double value) {
  if (position_[3] < 5) return insert_early(value);
  const Real x = static_cast<Real>(value);
  std::size_t cell = 0;  // x lies between markers cell and cell + 1
  if (x < height_[0]) {
    height_[0] = x;
  } else if (x >= height_[4]) {
    height_[4] = x;
    cell = 3;
  } else {
    while (x >= height_[cell + 1]) ++cell;
  }
  for (std::size_t i = cell; i < 4; ++i) position_[i] += 1;
  const double p = static_cast<double>(probability_), last = static_cast<double>(position_[3] - 1);
  adjust(1, 1 + last * (p / 2));
  adjust(2, 1 + last * p);
  adjust(3, 1 + last * ((1 + p) / 2));
}

// Moves marker i one place towards its wanted position, its height along a parabola through its neighbours, or along a
// line where the parabola would break the order.
template <class Real>
void QuantileOf<Real>::adjust(std::size_t i, double wanted) {
  const double off = wanted - static_cast<double>(position_[i - 1]);
  const Real room_above = position_[i] - position_[i - 1];
  const Real room_below = (i > 1 ? position_[i - 2] : 1) - position_[i - 1];
  if (!((off >= 1 && room_above > 1) || (off <= -1 && room_below < -1))) return;
  const Real step = off >= 1 ? 1 : -1;
  const Real above = (height_[i + 1] - height_[i]) / room_above;
  const Real below = (height_[i - 1] - height_[i]) / room_below;
  const Real parabola =
      height_[i] + step / (room_above - room_below) * ((step - room_below) * above + (room_above - step) * below);
  if (height_[i - 1] < parabola && parabola < height_[i + 1])
    height_[i] = parabola;
  else
    height_[i] += step * (step > 0 ? above : below);
  position_[i - 1] += step;
}

template <class Real>
bool QuantileOf<Real>::resume(double count, const std::array<double, 5>& heights,
                              const std::array<double, 5>& positions) {
  if (!(count >= 5 && count <= 1e15) || positions[0] != 1 || positions[4] != count) return false;
  for (std::size_t i = 0; i < 5; ++i) {
    if (!(heights[i] >= -1e12 && heights[i] <= 1e12)) return false;
    if (i > 0 && !(heights[i] >= heights[i - 1] && positions[i] > positions[i - 1])) return false;
  }
  for (std::size_t i = 0; i < 5; ++i) height_[i] = static_cast<Real>(heights[i]);
  for (std::size_t i = 0; i < 4; ++i) position_[i] = static_cast<Real>(positions[i + 1]);
  return true;
}

template <class Real>
void QuantileOf<Real>::halve() {
  if (position_[3] < 64) return;
  for (Real& position : position_) position = 1 + (position - 1) / 2;
}

template <class Real>
double QuantileOf<Real>::marker(std::size_t i, double probability) const {
  if (position_[3] >= 5) return static_cast<double>(height_[i]);
  if (position_[3] < 1) return 0;
  return static_cast<double>(height_[static_cast<std::size_t>(probability * (count() - 1) + 0.5)]);
}

template class QuantileOf<double>;
template class QuantileOf<float>;

}  // namespace hosa::detect
