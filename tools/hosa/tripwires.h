// Tripwires: the limits in the probes' windows, learned from false alarms. A trip that no net growth confirms doubles
// its limit (twice at most: 8 MB in a second is still a gigabyte in two minutes); a minute without a trip halves it
// again. So churn that is this machine's normal wakes us less and less, and a machine that has become quiet is watched
// closely again.
#pragma once
#include "tools/hosa/kernel_side.h"

namespace hosa {

class Tripwires {
 public:
  // Per CPU and window. 256 KiB in 10 ms is a leak of 50 MB/s after 5 ms (findings 2); 2 MB in 1 s sees 5 MB/s even
  // when it is spread over two CPUs. All pages: page cache and slab pass there too, so four times as much. Forks: a
  // storm of 1000/s crosses 5 in 10 ms; make -j and shell scripts reach 100/s.
  static constexpr uint64_t kFirst[HOSA_SUBJECTS][HOSA_SPANS] = {{256 << 10, 2 << 20}, {1 << 20, 8 << 20}, {5, 150}};
  static constexpr int kMostDoublings = 2;
  static constexpr double kQuietS = 60;

  void open(KernelSide& kernel) { set(kernel); }
  void tripped(const hosa_event& event, double now_s) {
    last_trip_s_[event.subject][event.span] = now_s;
    pending_[event.subject][event.span] = true;
  }
  // The suspicion that the trips raised has ended. confirmed: somebody was named.
  void settle(KernelSide& kernel, bool confirmed) {
    for_each([&](int subject, int span) {
      if (pending_[subject][span] && !confirmed && doublings_[subject][span] < kMostDoublings)
        ++doublings_[subject][span];
      pending_[subject][span] = false;
    });
    set(kernel);
  }
  void relax(KernelSide& kernel, double now_s) {
    bool changed = false;
    for_each([&](int subject, int span) {
      if (doublings_[subject][span] == 0 || now_s - last_trip_s_[subject][span] < kQuietS) return;
      --doublings_[subject][span];
      last_trip_s_[subject][span] = now_s;
      changed = true;
    });
    if (changed) set(kernel);
  }

 private:
  template <class F>
  static void for_each(F f) {
    for (int subject = 0; subject < HOSA_SUBJECTS; ++subject) {
      for (int span = 0; span < HOSA_SPANS; ++span) f(subject, span);
    }
  }
  void set(KernelSide& kernel) {
    WindowLimits limits;
    for_each(
        [&](int subject, int span) { limits[subject][span] = kFirst[subject][span] << doublings_[subject][span]; });
    kernel.set_limits(limits);
  }

  int doublings_[HOSA_SUBJECTS][HOSA_SPANS] = {};
  bool pending_[HOSA_SUBJECTS][HOSA_SPANS] = {};
  double last_trip_s_[HOSA_SUBJECTS][HOSA_SPANS] = {};
};

}  // namespace hosa
