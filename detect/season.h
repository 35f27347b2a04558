// Seasons: what the time of day, or of the week, explains of each dimension, learned only where the load shows a
// period. One object is one layer: the detector takes the day off first and looks for the week in what is left, so that
// a quiet Sunday needs no 168 windows.
//
// A period of the caller's list (a day, a week) is divided into windows, 24 of a day, 28 of a week. Whether the load
// has that period is told by its autocorrelation: the mean load of each window beside that of the same window one
// period earlier, r(P), and beside that of half a period earlier, r(P/2). Accepted: three periods of pairs, r(P) >= 0.5
// and r(P) - r(P/2) >= 0.3; the second because a slow wander correlates at every lag. (Of 16 public sets of 19
// dimensions 15 have r >= .77 at a day, of four sets of servers one; of a machine without a day none,
// test/detect/season.cpp.) From then on the mean of every dimension is learned per window, and after three more periods
// taken off before anything is judged. Given up when r(P) falls below 0.2. Six periods in all: with a day that is a
// week's work, which is why nothing waits for it.
//
// Samples while an anomaly is on weigh a tenth. Pure; nothing is done while no period is asked for or the calendar is
// not known (wall clock not synchronised: negative).
#pragma once
#include "detect/indices.h"
#include "detect/moments.h"

namespace hosa::detect {

class Season {
 public:
  static constexpr std::size_t kMostWindows = 28, kPeriods = 4;

  Season(std::size_t n, std::size_t windows) : n_(n), windows_(windows < kMostWindows ? windows : kMostWindows) {}

  // At most kPeriods, shortest first, in seconds. Forgets what was learned.
  void look_for(std::span<const double> periods_s);
  // Forgets what was learned and looks for the same again.
  void forget();
  bool looking() const { return candidates_ > 0; }

  // One sample before the season is taken off it: y, the load in any unit, calendar_s (negative: not known), and how
  // many seconds it counts for (0: nothing is learned of it).
  void add(std::span<const double> y, double load, double calendar_s, double seconds);
  // What is known of the sample added last: false while nothing is.
  bool known() const { return known_; }
  double period_s() const { return known_ ? candidate_[chosen_].period_s : 0; }
  // How far dimension j's expected value lies from its mean over the period, in y; 0 while nothing is known.
  double expected(std::size_t j) const { return known_ ? before_ * at(window_, j) + after_ * at(next_, j) : 0; }
  // The same of the load, and its spread over the period.
  double expected_load() const;
  double load_spread() const;

 private:
  static constexpr double kAccept = 0.5, kApart = 0.3, kGiveUp = 0.2;
  static constexpr std::size_t kPairs = 3, kLearned = 3;  // periods
  static constexpr double kRemembered = 8;                // periods that a window's mean is made of

  struct Candidate {
    double period_s = 0;
    double sum = 0, seconds = 0;  // of the window that is being filled
    std::size_t window = kMostWindows;
    std::array<double, kMostWindows> load{};  // of the last visit
    std::array<bool, kMostWindows> seen{};
    std::size_t pairs = 0;
    RunningCorrelation whole, half;
  };
  double count() const { return static_cast<double>(windows_); }
  void fill(Candidate& candidate, double load, double calendar_s, double seconds);
  void close(Candidate& candidate);
  bool periodic(const Candidate& candidate) const;
  void learn(std::span<const double> y, double seconds);
  double at(std::size_t window, std::size_t j) const { return static_cast<double>(profile_[window][j]) - centre_[j]; }

  std::size_t n_, windows_;
  std::array<Candidate, kPeriods> candidate_{};
  std::size_t candidates_ = 0, chosen_ = kPeriods;
  std::array<std::array<float, kMaxDimensions>, kMostWindows> profile_{};
  std::array<double, kMostWindows> learned_s_{};
  Vector centre_{};
  std::size_t windows_learned_ = 0;
  bool known_ = false;
  std::size_t window_ = 0, next_ = 0;  // those whose middles the sample lies between
  double before_ = 1, after_ = 0;      // and how near
};

}  // namespace hosa::detect
