// Peaks over threshold: where on this machine's own tail of the smoothed distance the first threshold belongs.
//
// Excursions of the score above u (its running 0.95 quantile) are declustered: what lies within 5 s is one excursion,
// counted once with its peak. The peaks' excesses e over u follow a generalised Pareto distribution, fitted by moments
// (Hosking & Wallis, Technometrics 29(3), 1987), mean m and variance v:
//   xi = (1 - m^2/v) / 2 clipped to +-0.5,   sigma = m (m^2/v + 1) / 2
//   level exceeded once in `period` seconds:  u + sigma/xi ((rate * period)^xi - 1),  rate = excursions per second
// By counting excursions instead of samples the answer does not depend on the polling interval (detection.md 2, step
// 7).
#pragma once
#include <cstdint>

#include "detect/quantile.h"

namespace hosa::detect {

// sigma and xi of excesses with this mean and population variance.
struct TailShape {
  double xi;
  double sigma;
};
TailShape fit_tail(double mean, double variance);
// Excess over u that is exceeded with `ratio` times the frequency of exceeding u itself; 0 < ratio <= 1.
double tail_excess(const TailShape& shape, double ratio);

// What the tail was judged by so far: what survives a restart. Plain data; all 0 is none.
struct TailEvidence {
  double normal_seconds = 0, excursions = 0, mean = 0, variance = 0;  // of the peaks' excesses
  double scores = 0;                                                  // that u is made of
  std::array<double, 5> heights{}, positions{};                       // its markers (quantile.h)
};

class PeaksOverThreshold {
 public:
  static constexpr double kPeriodSeconds = 86400;  // one level-1 alarm per day of normal time
  static constexpr double kDeclusterSeconds = 5;
  static constexpr double kQuantileSeconds = 300;   // of scores before u is believed
  static constexpr double kEvidenceSeconds = 3600;  // before the tail is: a day is extrapolated from it
  static constexpr double kEvidencePeaks = 50;
  // An excursion that ended by itself within a minute, while we did nothing, was no collapse: it counts with its full
  // peak even if it was an alarm. Leaving alarms out would fit a tail cut off at h, and h could never rise.
  static constexpr double kLongestExcursionSeconds = 60;

  // Takes one smoothed score standing for dt seconds of time. alarmed: level >= 1 (then u does not learn it);
  // undisturbed: no action is in force (otherwise the excursion is dropped).
  void add(double score, double now, double dt, bool alarmed, bool undisturbed);
  // The score exceeded once a day, or 0 while there is too little evidence.
  double level() const { return level_; }
  double excursions() const { return count_; }
  TailEvidence evidence() const;
  // False, and nothing changed, if it holds what no tail can be.
  bool resume(const TailEvidence& evidence);

 private:
  void close_excursion();
  void refit();

  Quantile base_{0.95};
  double normal_seconds_ = 0;
  double next_base_time_ = 0;
  bool base_started_ = false;
  double count_ = 0, mean_ = 0, variance_ = 0;  // of peak excesses
  bool inside_ = false, spoiled_ = false;
  double began_ = 0, last_above_ = 0, peak_ = 0;
  double level_ = 0;
};

}  // namespace hosa::detect
