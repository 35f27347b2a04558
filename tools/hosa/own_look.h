// What a verb needs to sense by itself, without a running agent: the roots, the machine and the senses, opened once.
// Several megabytes of tables, most of them never touched: keep it in static storage.
#pragma once
#include "proprioception/cgroup_mount.h"
#include "tools/hosa/senses.h"

namespace hosa {

struct OwnLook {
  Fd proc, sys;
  CgroupHome cgroup;
  Machine machine;
  RungReport rungs;
  Senses senses;

  // options.warmup_s is the detector's; without root what needs it is left out.
  Result<void> open(const Options& options);
};

void sleep_s(double seconds);

}  // namespace hosa
