#include "detect/window.h"

namespace hosa::detect {

void RateWindow::accumulate(std::span<const double> reading, double now) {
  for (std::size_t j = 0; j < dimensions_.size(); ++j) {
    if (!dimensions_[j].cumulative) continue;
    const double grown = started_ ? reading[j] - last_raw_[j] : 0;
    if (grown < 0) ++resets_;
    if (grown > 0) newest_.total[j] += grown;
    last_raw_[j] = reading[j];
  }
  newest_.time = now;
}

bool RateWindow::add(std::span<const double> reading, double now, std::span<double> values) {
  const bool apart = count_ == 0 || newest_.time - kept(count_ - 1).time >= kSpacingSeconds;
  if (started_ && apart) {
    if (count_ == kReadings) {
      first_ = (first_ + 1) % kReadings;
      --count_;
    }
    ring_[(first_ + count_++) % kReadings] = newest_;
  }
  accumulate(reading, now);
  started_ = true;
  if (count_ == 0 || now - kept(0).time < kSeconds / 2) return false;

  // Drop what lies wholly before the far edge, keeping one reading at or before it.
  const double edge = now - kSeconds;
  while (count_ > 1 && kept(1).time <= edge) {
    first_ = (first_ + 1) % kReadings;
    --count_;
  }
  const Reading& before = kept(0);
  const Reading& after = count_ > 1 ? kept(1) : newest_;
  const double from = edge > before.time ? edge : before.time;  // a young history is shorter than the window
  const double part = (from - before.time) / (after.time - before.time);
  for (std::size_t j = 0; j < dimensions_.size(); ++j) {
    if (dimensions_[j].cumulative) {
      const double then = before.total[j] + part * (after.total[j] - before.total[j]);
      values[j] = (newest_.total[j] - then) / (now - from);
    } else {
      values[j] = reading[j];
    }
  }
  return true;
}

}  // namespace hosa::detect
