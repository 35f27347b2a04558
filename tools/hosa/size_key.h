// By what name a unit's size is known over restarts: its cgroup and the program of its largest process.
#pragma once
#include "actuate/known_sizes.h"
#include "tools/hosa/guard.h"

namespace hosa {

// members: of the unit, now. 0: nobody is in it any more.
inline uint64_t size_key(const Unit& unit, const Members& members, const Fd& proc, ProcessGuard& guard) {
  const Member* largest = nullptr;
  for (const Member& member : members)
    if (largest == nullptr || member.bytes > largest->bytes) largest = &member;
  if (largest == nullptr) return 0;
  const auto process = read_process(proc, largest->pid);
  if (!process) return 0;
  return KnownSizes::key_of(unit.path.view(), guard.names().identify(proc, *process, false).exe.view());
}

}  // namespace hosa
