// TripCheck: whether what tripped a memory wire stays, before anybody is looked for (spec 3: gross sensors are
// confirmed by two preads before a trip counts). A look at everybody is 1-2 ms and goes on for 0.4 s at least; most
// trips are churn, which two readings of one process and of MemAvailable tell for 50 us.
//
// At the record the process's own pages are read; then twice more, a step apart. Something stays if at both the process
// has grown on, or if both say that the machine has less than before the window began, and ever less (a swarm, a relay
// of newborn, tmpfs, socket buffers). Who swings (maps, touches, unmaps) does not grow twice in a row.
//
// Several processes may be looked at at the same time, each by a check of its own: a leak that trips while a compiler
// is looked at need not wait.
#pragma once
#include <array>

#include "proprioception/process.h"
#include "tools/hosa/kernel_side.h"

namespace hosa {

// MemAvailable at the last readings of the machine.
class AvailableHistory {
 public:
  void note(double now_s, double bytes) { readings_[next_++ % readings_.size()] = {now_s, bytes}; }
  // The youngest reading that is not younger, else the oldest there is.
  double before(double time_s) const;

 private:
  struct Reading {
    double time_s = -1, bytes = 0;
  };
  std::array<Reading, 8> readings_;
  std::size_t next_ = 0;
};

class TripCheck {
 public:
  // A leak of 25 MB/s, the slowest that trips the short window, takes 0.5 MB in a step, one of 5 MB/s and the long
  // window 0.3 MB: more than the 64 pages by which statm is late on kernels before 6.2.
  static constexpr double kShortStepS = 0.022, kLongStepS = 0.06;
  static constexpr double kLeastBytes = 64 * 1024;
  enum class Answer : uint8_t { wait, grows, churn };

  // A record of a memory window. page_bytes: of statm.
  void begin(const Fd& proc, const AvailableHistory& available, const hosa_event& event, double now_s,
             double page_bytes);
  bool waits() const { return due_s_ >= 0; }
  double due_s() const { return due_s_; }
  const hosa_event& event() const { return event_; }
  double onset_s() const { return static_cast<double>(event_.time_ns) * 1e-9; }
  // At due_s() or later, with MemAvailable as it is now. Anything but `wait` ends the check.
  Answer look(double now_s, double available_bytes);
  // Over the last step: of the process or of the machine, whichever is more.
  double growth_per_s() const { return growth_per_s_; }

 private:
  double own_bytes() const;

  hosa_event event_{};
  ProcessMeter meter_;
  double page_bytes_ = 0, step_s_ = 0, due_s_ = -1;
  double own_ = 0, left_ = 0, least_fall_ = 0, looked_s_ = 0, growth_per_s_ = 0;
  bool again_ = false;
};

}  // namespace hosa
