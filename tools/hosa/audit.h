// Audit: one JSON line per decision, with the numbers it was made from. Lines go into the ring that the keeper writes
// to disk; the last ones are also kept for `status`.
//
// Every line: t (CLOCK_BOOTTIME, s), time (CLOCK_REALTIME, s), event, level. Decisions add d, dbar, slope, curvature,
// thresholds, available, horizon, x {dimension: value} and c {the three largest contributions}. Events:
//   start ready level suspect culprit nobody insured act bucket given_back refused changed error keeper stop
#pragma once
#include "actuate/keeper.h"
#include "tools/hosa/json.h"
#include "tools/hosa/senses.h"

namespace hosa {

class Audit {
 public:
  void open(Journal& journal, Keeper* keeper, bool shadow) {
    journal_ = &journal;
    keeper_ = keeper;
    shadow_ = shadow;
  }
  void set_keeper(Keeper* keeper) { keeper_ = keeper; }
  // Starts a line.
  JsonLine line(const char* event, int level) const;
  // Adds the moment's numbers: what a decision was made from.
  static void explain(JsonLine& line, const Moment& moment, const StateVector& vector);
  void write(JsonLine& line);
  uint64_t written() const { return written_; }

 private:
  Journal* journal_ = nullptr;
  Keeper* keeper_ = nullptr;
  bool shadow_ = false;
  uint64_t written_ = 0;
};

}  // namespace hosa
