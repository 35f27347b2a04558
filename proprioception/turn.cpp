#include "proprioception/turn.h"

#include <sys/resource.h>
#include <time.h>

#include <cstdint>

namespace hosa {
namespace {

constexpr uint64_t kTurnNs = 250'000;
constexpr long kRestNs = 400'000;
constexpr uint64_t kLateNs = 1'000'000;
constexpr int kUrgent = -20, kPolite = 0;

uint64_t begun_ns = 0;  // 0: no rest in this turn

uint64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

// Without the right to go back to -20 there was none to leave: setpriority is refused both ways.
void set_nice(int nice) {
  (void)::setpriority(PRIO_PROCESS, 0, nice);
}

}  // namespace

void begin_turn(bool may_rest) {
  begun_ns = may_rest ? now_ns() : 0;
  if (may_rest) set_nice(kPolite);
}

void end_turn() {
  if (begun_ns == 0) return;
  begun_ns = 0;
  set_nice(kUrgent);
}

void let_others_run() {
  if (begun_ns == 0) return;
  const uint64_t before_ns = now_ns();
  if (before_ns - begun_ns < kTurnNs) return;
  const timespec rest{0, kRestNs};
  ::nanosleep(&rest, nullptr);
  begun_ns = now_ns();
  if (begun_ns - before_ns > kLateNs) end_turn();
}

}  // namespace hosa
