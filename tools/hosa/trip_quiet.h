// TripQuiet: how long nothing more is told after a record.
//
// A leak of 50 MB/s trips the short window of anonymous memory, in 3 ms; nobody else's trip may hide it. So there it is
// the process that is silent (hosa_quiet), while it is looked at and for longer each time that it was churn: silence
// for all, 0.1 to 0.8 s after each trip of a compiler, hid 9 of 10 leaks of 40 ms beside five who churn. Only where all
// of them together send more records than are worth their time is there silence for all, for a moment.
//
// The other windows of memory see what is slow or is in no process, and have time: after a record of one all of them
// are silent, for everybody.
//
// Fixed memory; time is an argument.
#pragma once
#include <array>

#include "tools/hosa/kernel_side.h"

namespace hosa {

class TripQuiet {
 public:
  static constexpr double kQuietS = 0.1;   // the look is under way
  static constexpr double kPassedS = 0.2;  // there was no time for a look
  // After a dismissal, doubled with each in a row: a process is silent for 3.2 s at most, since the time to failure
  // sees within a second if it leaks at last; the other windows for 0.8 s.
  static constexpr double kProcessS = 0.2, kProcessMostS = 3.2, kOthersS = 0.1, kOthersMostS = 0.8;
  static constexpr double kInARowS = 0.5;
  // A record costs 20 us, the two readings after it 0.2 ms: some wait for their next record where whole builds churn.
  static constexpr double kRecordsPerS = 64, kChecksPerS = 4;

  // A record of a window came.
  void told(KernelSide& kernel, const hosa_event& event, double now_s);
  // Whether there is time to look at whom it names; if not, it is silent for kPassedS.
  bool may_check(KernelSide& kernel, const hosa_event& event, double now_s);
  // It was churn.
  void dismissed(KernelSide& kernel, const hosa_event& event, double now_s);

 private:
  struct Silence {
    double lasts_s = 0, until_s = -1e9;  // of its last dismissal
    double longer(double now_s, double first_s, double most_s);
  };
  // So many a second; what was left of the last second is kept.
  struct Allowance {
    double per_s = 0, left = per_s, filled_s = 0;
    bool take(double now_s);
  };
  struct Process : Silence {
    uint32_t tgid = 0;
  };
  Process& of(uint32_t tgid);
  void silence_others(KernelSide& kernel, double until_s) const;

  std::array<Process, HOSA_QUIETS> processes_{};
  Silence others_;
  Allowance records_{kRecordsPerS}, checks_{kChecksPerS};
};

}  // namespace hosa
