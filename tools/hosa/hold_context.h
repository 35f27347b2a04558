// HoldContext: what every hold (memory_hold.h, cpu_hold.h) works with, made anew by the agent for each tick; and how
// long a lease of theirs lasts.
#pragma once
#include <time.h>

#include "actuate/known_sizes.h"
#include "actuate/limit_watch.h"
#include "actuate/suspicion.h"
#include "tools/hosa/audit.h"
#include "tools/hosa/census.h"
#include "tools/hosa/guard.h"
#include "tools/hosa/handed.h"

namespace hosa {

struct HoldContext {
  const Moment& moment;
  const StateVector& vector;
  Census& census;
  Handed& handed;
  Journal& journal;
  Keeper& keeper;
  const Roots& roots;
  Audit& audit;
  ProcessGuard& guard;
  KernelSide& kernel;
  const KnownSizes& known_sizes;
  const Fd& proc;
  LimitWatch& limit_watch;
  int& crowds_ready;  // holds for which the kernel was made preemptible (room_weight.h): the last gives that back
  bool shadow = false;
  bool limits_touched = false;  // somebody wrote where our limits stand
  bool memory_controller = false;
  double room_option = 0;
  double page_bytes = 4096;
  int held_units = 1;
  unsigned online_cpus = 1;
  double max_tasks = 32768;
  int ceiling = 4;
  bool machine_settings = false;  // what is nobody's own may be changed, too: never with --only
};

// A lease is renewed each second by the agent, at the end of a tick; the keeper undoes what ran out, and all of it when
// the agent has not moved for 2 s. A tick among the 3400 processes of a storm lasted 17 s of a 125 MIPS CPU, moving all
// the time: with a lease of 10 s the storm was let go in its middle.
inline constexpr uint64_t kLeaseNs = 60'000'000'000u;
inline uint64_t lease_ns() {
  return clock_ns(CLOCK_BOOTTIME) + kLeaseNs;
}

}  // namespace hosa
