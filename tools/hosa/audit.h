// Audit: one JSON line per decision, with the numbers it was made from. Lines go into the ring that the keeper writes
// to disk; the last ones are also kept for `status`.
//
// Every line: t (CLOCK_BOOTTIME, s), time (CLOCK_REALTIME, s), event, level. Decisions add d, dbar, slope, curvature,
// thresholds, available, horizon, x {dimension: value}, c {the three largest contributions} and calm {their usual
// range}. Events:
//   start ready level culprit nobody insured act bucket given_back refused changed error keeper baseline stop
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
  // The line that began the last episode's story, and the last one that tells what came of it; empty: none yet.
  std::string_view reason() const { return {reason_.bytes, reason_.size}; }
  std::string_view outcome() const { return {outcome_.bytes, outcome_.size}; }

 private:
  struct Kept {
    std::size_t size = 0;
    char bytes[8 * 1024];  // an explained line has 2-4 KB
  };
  static void keep(std::string_view text, Kept& kept);
  Kept reason_, outcome_;
  Journal* journal_ = nullptr;
  Keeper* keeper_ = nullptr;
  bool shadow_ = false;
  uint64_t written_ = 0;
};

}  // namespace hosa
