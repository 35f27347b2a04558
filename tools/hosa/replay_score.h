// The score of a replayed row: what ranks the rows of one recording against each other (levels have thresholds of their
// own, detect/thresholds.h). Higher is more abnormal.
//
// Of a recording in seconds it is sqrt(T |m|) (1 + r): how far this row is, times how far the mean of the last second
// is, of innovations with their sign (m as in lasting.h); what swings to and fro is worth less than what stays. By row,
// not by time: a recorder that was stalled delivers what it missed in a burst, and each of those rows is a sample of
// its own (GA: VUS-PR .66 by time, .72 by row). Beside the geometric mean of two running means of T^2, which was the
// score before (10 Hz): A .508 -> .549, GA .760 -> .766, two recordings of another host (looked at, too, when it was
// chosen among its kind) .214 -> .248 and .475 -> .546. Means of 0.5 to 2 s are as good (.546 to .554 and .762 to
// .766); sums of |u|, or the largest u, in place of |u| trade one recording for the other.
//
// Each dimension's mean counts by how far it wanders on this machine: less where its reach in the warm-up is more than
// 1.5 times that of noise (lasting.h: 1.03). What wanders by itself else hides what never does: GA .766 -> .784, A .549
// -> .547, the two of another host .248 -> .250 and .546 -> .544. 1.25 and 2 times are near it; all by their reach (1
// time): GA .786, A .540; by the recent reach, or as many times less as the share of 0.95: one against the other.
//
// A level (of memory, of sockets) that stays where something put it is half old news: of each innovation of such a
// dimension half of its mean over 50 s is taken off, as far as it is of the same sign. (A page cache that was driven
// out stands apart for a minute after the fault has gone.) Beside r: GA .791 -> .801, A .550 -> .552, two of another
// host .249 -> .253 and .549 -> .554, five guests with faults .879 -> .878. 30 to 100 s and 0.3 to 0.7 of it are within
// .004; of all dimensions: guests .871, A .550.
//
// r: what runs out is worth more the nearer its end is, twice at the end, from twice the horizon of level 1 on, and in
// full after 5 s (a program that starts up is often still by then). A leak's growth is what it does all along; its
// innovations fade while it is learned. A .546 -> .550, GA .782 -> .791, five guests .866 -> .879, two of another host
// .400 -> .399. Without the 5 s .878.
//
// Rows without a time are minutes apart, and what they show lasts for hours: there the score is the geometric mean of a
// short running mean of D T (4 rows) and a long one (19), as quick as the one, as steady as the other. sqrt(T |m|)
// instead: SMD .56 -> .51. T^2 instead of T: SMD .528 -> .554, ASD .320 -> .335, JS .453 -> .457. D T instead of T^2,
// and rows that are not smoothed again (Detector::take_means): 4 SMD .561 -> .581, 6 ASD .365 -> .389, 10 JS .514 ->
// .513; of files that were never looked at before (6 machines of SMD, omi-7 to 12 of ASD, 50 services of JS) .532 ->
// .548, .564 -> .618, .469 -> .480. D alone on these: JS .471; running means of 2 and 19 rows, or 4 and 33: less.
#pragma once
#include "detect/detector.h"

namespace hosa {

class ReplayScore {
 public:
  // timed: rows are seconds apart, not minutes. row_seconds: between two rows.
  ReplayScore(bool timed, double row_seconds);

  // One row: the detector after its step, the least time to a failure, the row's time. Answers the score.
  double take(const detect::Detector& detector, double seconds_left, double time);

 private:
  double of_rows_minutes_apart(double squared);
  void weigh_by_reach(const detect::Detector& detector);
  double take_off_old_news(const detect::Detector& detector);
  double running_out(double seconds_left, double time);

  bool timed_, weighed_ = false;
  double steady_weight_, old_weight_;
  detect::Vector share_{};       // what of each m counts
  detect::Vector steady_{};      // m
  detect::Vector old_{};         // mean of u over 50 s
  double plenty_at_ = 0;         // when nothing ran out, last
  double short_ = 0, long_ = 0;  // mean D T
};

}  // namespace hosa
