// The channel of the single dimension: what lasts a second in one dimension alone.
//
// A fault that shows in one dimension of 37 has to exceed 13 of its spreads before the distance exceeds 2.2 sqrt 37,
// and the distance does not ask whether a deviation kept its sign. Here each tempered innovation (mahalanobis.h) is
// smoothed with its sign over a second and divided by its own reach in warm-up, the 0.99 quantile (at least a
// Gaussian's) or half of the farthest, whichever is more:
//   m_i += 0.1 (v_i - m_i) per 0.1 s (v: yardstick.h),   q_i = max(0.99 quantile, farthest / 2),
//   M = max_i |m_i| / max(q_i, 1.03)
// M > 6 is level 1 (moved to this machine's own tail between 4 and 10), of the dimension that leads. Beside the
// distance, on A, GA and an hour of a machine that compiles, with seven faults nobody had tuned on:
//   M >        A found  GA found  median delay s  hour found  false alarms of the hour
//   (without)  3 of 11  8 of 11   1.4, 3.0        3 of 7      10
//   6          4        8         1.1, 3.0        3           13
//   4          5        9         1.0, 1.3        3           19
// so 6: what 4 finds more it pays for with alarms. Tried: 0.5 and 2 s (2 s finds two more of GA for two false alarms
// more), the three largest, the sum of fourth powers (the same trade), the sum of squares of all m_i (worse).
// What comes once a minute for a second has no say in a 0.99 quantile of 200 s, and three times as far as the warm-up
// went is the least that is level 1 (M = 6) with half of the farthest in it: 14 -> 8 false alarms in yardstick.h's
// hours at 10 Hz, 7 -> 6 at 0.5 s, 24 and 21 faults found with and without; GA's median delay 1.7 -> 1.8 s. A third of
// the farthest: 13; seven tenths: 6, GA 1.9 s. A count (tasks that run) is caught at an instant and says nothing of the
// half second before: one reading of it moves m_i by half of the limit at most. (At 10 Hz none does. At 0.5 s a weight
// of 0.41 made an alarm of each second task that an idle guest was caught running: 13 of 25 false alarms of an hour.
// Where no reading of any dimension may do more, a guest that stalls shows its storm of writes after 13 s instead of 2,
// GA.)
#pragma once
#include "detect/arithmetic.h"
#include "detect/moments.h"
#include "detect/quantile.h"

namespace hosa::detect {

class Lasting {
 public:
  static constexpr double kLeast = 1.03;  // 2.6 sqrt(a / (2 - a)) of a Gaussian, three samples in a row counting as one

  static constexpr double kOfFarthest = 0.5;

  static constexpr float kMostOfOne = 3.09f, kAny = 1e30f;  // 3 kLeast

  // Of a warm-up, whose memory they are: 0.99 quantiles of |m_i|, and the farthest.
  struct Reaches {
    std::array<QuantileOf<float>, kMaxDimensions> usual;
    Floats farthest{};
    Reaches() { usual.fill(QuantileOf<float>(0.99)); }
  };

  explicit Lasting(std::span<const Dimension> dimensions);  // at most 64

  // One sample: u_i with the sign of w_i, dt seconds after the one before.
  void add(std::span<const double> tempered, double dt);
  void learn(Reaches& reaches) const;
  // M, and whose it is; 0 while no q is known.
  double most() const { return most_; }
  std::size_t which() const;
  // q_i, 0 where not known: that dimension is left to the distance.
  Vector reach() const;
  void set_reach(const Vector& reach);
  void settle(const Reaches& reaches);

 private:
  float square(std::size_t i) const { return mean_[i] * ease_[i] * (mean_[i] * ease_[i]); }

  std::size_t n_;
  Floats mean_{};
  Floats ease_{};        // 1 / max(q_i, kLeast); 0: not known
  uint64_t caught_ = 0;  // which are counts
  double most_ = 0;
  Decay decay_{0.1};
};

}  // namespace hosa::detect
