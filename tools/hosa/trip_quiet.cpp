#include "tools/hosa/trip_quiet.h"

#include <algorithm>

namespace hosa {
namespace {

uint64_t to_ns(double seconds) {
  return static_cast<uint64_t>(seconds * 1e9);
}

bool is_by_process(const hosa_event& event) {
  return event.subject == HOSA_ANON_BYTES && event.span == HOSA_SHORT_WINDOW;
}

}  // namespace

double TripQuiet::Silence::longer(double now_s, double first_s, double most_s) {
  lasts_s = now_s < until_s + kInARowS ? std::min(2 * lasts_s, most_s) : first_s;
  until_s = now_s + lasts_s;
  return until_s;
}

TripQuiet::Process& TripQuiet::of(uint32_t tgid) {
  Process& process = processes_[tgid % processes_.size()];
  if (process.tgid != tgid) {
    process = Process{};
    process.tgid = tgid;
  }
  return process;
}

bool TripQuiet::Allowance::take(double now_s) {
  left = std::min(left + (now_s - filled_s) * per_s, per_s);
  filled_s = now_s;
  if (left < 1) return false;
  left -= 1;
  return true;
}

void TripQuiet::silence_others(KernelSide& kernel, double until_s) const {
  kernel.quiet_until(HOSA_ANON_BYTES, HOSA_LONG_WINDOW, to_ns(until_s));
  for (const auto span : {HOSA_SHORT_WINDOW, HOSA_LONG_WINDOW})
    kernel.quiet_until(HOSA_ALL_BYTES, span, to_ns(until_s));
}

void TripQuiet::told(KernelSide& kernel, const hosa_event& event, double now_s) {
  const double until_s = now_s + kQuietS;
  if (event.subject == HOSA_FORKS) {
    for (const auto span : {HOSA_SHORT_WINDOW, HOSA_LONG_WINDOW}) kernel.quiet_until(HOSA_FORKS, span, to_ns(until_s));
    return;
  }
  kernel.quiet_process_until(event.tgid, to_ns(std::max(of(event.tgid).until_s, until_s)));
  if (!is_by_process(event)) return silence_others(kernel, std::max(others_.until_s, until_s));
  if (!records_.take(now_s)) kernel.quiet_until(HOSA_ANON_BYTES, HOSA_SHORT_WINDOW, to_ns(now_s + 1 / kRecordsPerS));
}

bool TripQuiet::may_check(KernelSide& kernel, const hosa_event& event, double now_s) {
  if (checks_.take(now_s)) return true;
  kernel.quiet_process_until(event.tgid, to_ns(std::max(of(event.tgid).until_s, now_s + kPassedS)));
  return false;
}

void TripQuiet::dismissed(KernelSide& kernel, const hosa_event& event, double now_s) {
  kernel.quiet_process_until(event.tgid, to_ns(of(event.tgid).longer(now_s, kProcessS, kProcessMostS)));
  if (!is_by_process(event)) silence_others(kernel, others_.longer(now_s, kOthersS, kOthersMostS));
}

}  // namespace hosa
