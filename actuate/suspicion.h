// Suspicion: from "something grows" to "this unit, and it is confirmed" (spec 5 and 6, holding.md 1).
//
// It begins with a tripwire, a short horizon or a high score, looks at all units several times, and ends by naming a
// culprit, or after kPatienceS without one. A tripwire counts gross bytes; two looks in a row at net bytes confirm
// it, so a process that maps and unmaps all day is not named. Pure: time and use are arguments.
#pragma once
#include <span>

#include "actuate/history.h"

namespace hosa {

enum class Cause : uint8_t { none, tripwire, horizon, score };
const char* cause_name(Cause cause);

enum class Carrier : uint8_t { memory, cpu, tasks };
const char* carrier_name(Carrier carrier);

struct Finding {
  bool grows = false;      // somebody grows at all
  bool named = false;      // one unit explains more than half of the growth
  bool confirmed = false;  // and two looks agree that it really does
  uint64_t unit = 0, runner_up = 0;
  double share = 0, runner_up_share = 0;
  double growth = 0;        // of the culprit since onset: bytes, CPU seconds or births
  double growth_per_s = 0;  // over the last second or two of looking
  // Of growth, where it is bytes: what shows in no process.
  double shared_growth = 0, kernel_growth = 0;
  bool most_of_shared = false, most_of_kernel = false;  // of what all units grew by
  double usual_cpu_per_s = 0;  // CPU seconds, over some seconds before the onset, as far as the history reaches
};

class Suspicion {
 public:
  static constexpr double kPatienceS = 3;  // a trip that nobody's net growth confirms for so long was churn
  // Two looks so far apart: who still starts up then is insured, too, which slows nobody who stops in time. (0.4 s for
  // who does not use up the room in 3 s: a leak of 50 MB/s had its limit after 0.58 s instead of 0.22.)
  static constexpr double kShortestLookS = 0.1, kLookS = 1.0;
  static constexpr double kUsualS = 5;
  static constexpr double kLeastBytes = 4.0 * 1024 * 1024;  // a leak of 50 MB/s has them in 80 ms

  // Begins, unless it has begun: churn trips all day, and each suspicion must come to its end to teach the tripwires.
  // onset_s says which generation of the history is "before". False: it had begun.
  bool raise(Cause cause, double onset_s, double now_s);
  bool active(double now_s) const { return cause_ != Cause::none && now_s - raised_s_ < kPatienceS; }
  void drop() { cause_ = Cause::none; }
  Cause cause() const { return cause_; }
  double onset_s() const { return onset_s_; }
  double began_s() const { return begun_s_; }  // the first look
  double age_s(double now_s) const { return now_s - raised_s_; }

  Finding look(Carrier carrier, double now_s, std::span<const UnitUse> uses, const UseHistory& history,
               double least_growth);

 private:
  Cause cause_ = Cause::none;
  double onset_s_ = 0, raised_s_ = -1e9, begun_s_ = -1e9;
  uint64_t last_unit_ = 0;  // who had grown most in the last look, and by how much
  double last_growth_ = 0;
  UseHistory::Generation earlier_, later_;  // looks between which the present slope is measured: 0.1 to 2 s back
};

// What the unit used of the CPUs per second before the onset: a limit below that would hold its ordinary work for ever.
double usual_cpu_per_s(const UseHistory& history, double onset_s, uint64_t unit);

// The largest growth in bytes per second of any unit since that generation; 0 without one, or when nobody grew.
double fastest_growth_per_s(std::span<const UnitUse> uses, const UseHistory::Generation* before, double now_s);

}  // namespace hosa
