#include "tools/hosa/turns.h"

namespace hosa {
namespace {

uint64_t ns(double seconds) {
  return static_cast<uint64_t>(seconds * 1e9);
}

}  // namespace

void Turns::begin(KernelSide& kernel, double now_s) {
  kernel.read_syscalls(before_);
  brk_before_ = kernel.totals().brk_calls;
  brk_observed_before_ = kernel.brk_observed_ns(ns(now_s));
  kernel.watch_syscalls(true);
  (void)kernel.start_turn(ns(now_s));  // where it fails brk is not sensed in this turn
  begun_s_ = now_s;
}

void Turns::end(KernelSide& kernel, double now_s) {
  kernel.read_syscalls(now_);
  const detect::Mix mix = detect::mix_entropy(now_, before_);
  const double seconds = now_s - begun_s_;
  const uint64_t observed = kernel.brk_observed_ns(ns(now_s)) - brk_observed_before_;
  if (seconds > 0) {
    ++taken_;
    entropy_bits_ = mix.bits;
    syscalls_per_s_ = static_cast<double>(mix.total) / seconds;
  }
  if (observed > 0)
    brk_per_s_ = static_cast<double>(kernel.totals().brk_calls - brk_before_) / (static_cast<double>(observed) * 1e-9);
  begun_s_ = -1;
  ended_s_ = now_s;
}

void Turns::step(KernelSide& kernel, double now_s, bool wanted, bool allowed, double tasks) {
  const bool may = allowed && tasks <= kMostTasks && kernel.has(KernelSensor::syscalls);
  if (begun_s_ >= 0) {
    if (may && wanted && now_s - begun_s_ < kLongestS) return;
    end(kernel, now_s);
    if (may && wanted) return begin(kernel, now_s);  // the figures of ten seconds, and on
    kernel.watch_syscalls(false);
    kernel.stop_turn(ns(now_s));
  } else if (may && (wanted || now_s - ended_s_ >= kEveryS)) {
    begin(kernel, now_s);
  }
}

}  // namespace hosa
