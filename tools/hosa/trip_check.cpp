#include "tools/hosa/trip_check.h"

#include <algorithm>

namespace hosa {

double AvailableHistory::before(double time_s) const {
  const Reading* oldest = nullptr;
  const Reading* found = nullptr;
  for (const Reading& at : readings_) {
    if (at.time_s < 0) continue;
    if (oldest == nullptr || at.time_s < oldest->time_s) oldest = &at;
    if (at.time_s <= time_s && (found == nullptr || at.time_s > found->time_s)) found = &at;
  }
  return found != nullptr ? found->bytes : oldest != nullptr ? oldest->bytes : 0;
}

// Negative: it has gone.
double TripCheck::own_bytes() const {
  const auto process = meter_.read();
  return process ? static_cast<double>(process->own_pages()) * page_bytes_ : -1;
}

void TripCheck::begin(const Fd& proc, const AvailableHistory& available, const hosa_event& event, double now_s,
                      double page_bytes) {
  event_ = event;
  page_bytes_ = page_bytes;
  again_ = false;
  meter_ = ProcessMeter();
  if (auto meter = ProcessMeter::open(proc, static_cast<int>(event.tgid))) meter_ = std::move(*meter);
  own_ = own_bytes();
  const bool brief = event.span == HOSA_SHORT_WINDOW;
  step_s_ = brief ? kShortStepS : kLongStepS;
  const uint64_t window_ns = brief ? HOSA_SHORT_WINDOW_NS : HOSA_LONG_WINDOW_NS;
  left_ = available.before(onset_s() - static_cast<double>(window_ns) * 1e-9);
  least_fall_ = static_cast<double>(event.amount) / 2;
  looked_s_ = now_s;
  due_s_ = now_s + step_s_;
}

TripCheck::Answer TripCheck::look(double now_s, double available_bytes) {
  const double own = own_bytes();
  const double grown = own >= 0 && own_ >= 0 ? own - own_ : 0, fallen = left_ - available_bytes;
  const bool grows = grown >= kLeastBytes, falls = fallen >= least_fall_;
  growth_per_s_ = std::max(grown, fallen) / std::max(now_s - looked_s_, 1e-3);
  looked_s_ = now_s;
  own_ = own;
  left_ = available_bytes;
  least_fall_ = kLeastBytes;
  if ((grows || falls) && !again_) {
    again_ = true;
    due_s_ = now_s + step_s_;
    return Answer::wait;
  }
  due_s_ = -1;
  meter_ = ProcessMeter();  // nothing stays open between checks
  return grows || falls ? Answer::grows : Answer::churn;
}

}  // namespace hosa
