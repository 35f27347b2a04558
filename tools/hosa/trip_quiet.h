// TripQuiet: how long nothing more is told after a record.
//
// A leak of 50 MB/s trips the short window of anonymous memory, in 3 ms; nobody else's trip may hide it. So there it is
// the process that is silent (hosa_quiet), while it is looked at and for longer each time that it was churn: silence
// for all, 0.1 to 0.8 s after each trip of a compiler, hid 9 of 10 leaks of 40 ms beside five who churn. All of them
// together send no more than a few records a second; only then are all silent.
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
  static constexpr double kQuietS = 0.1;  // the look is under way
  // Doublings of that, one for each dismissal in a row: a process is silent for 3.2 s at most, since the time to
  // failure sees within a second if it leaks at last; the other windows for 0.8 s.
  static constexpr unsigned kMostOfProcess = 5, kMostOfOthers = 3;
  static constexpr double kInARowS = 0.5;
  static constexpr double kRecordsPerS = 16, kBurst = 16;

  // A record of a window came.
  void told(KernelSide& kernel, const hosa_event& event, double now_s);
  // It was churn.
  void dismissed(KernelSide& kernel, const hosa_event& event, double now_s);

 private:
  struct Silence {
    unsigned in_a_row = 0;
    double until_s = -1e9;  // of its last dismissal
    double longer(double now_s, unsigned most);
  };
  struct Process : Silence {
    uint32_t tgid = 0;
  };
  Process& of(uint32_t tgid);
  void count(KernelSide& kernel, double now_s);
  void silence_others(KernelSide& kernel, double until_s) const;

  std::array<Process, HOSA_QUIETS> processes_{};
  Silence others_;
  double records_left_ = kBurst, filled_s_ = 0;
};

}  // namespace hosa
