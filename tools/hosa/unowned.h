// Growth that shows in no process (tmpfs and shared memory; slab and socket buffers of the kernel), dealt out to those
// whom the probes saw being handed such pages meanwhile. For where no memory controller counts it by cgroup. Pure.
//
// What a unit was handed is gross, and what grew is net: one that writes and removes files all day is handed much and
// leaves nothing. So nobody is given more than it was handed, nor more than all that grew, and who claim more than that
// together share it: beside one that leaks nobody else can come to more than half (culprit.h). Growth that nobody was
// seen to take is nobody's; it waits one step, since figure and table are not read in the same instant.
#pragma once
#include <cstdint>
#include <span>

#include "actuate/history.h"
#include "loader/sys/fixed.h"

namespace hosa {

// Machine-wide, bytes.
struct UnownedBytes {
  double shared = 0;  // Shmem
  double kernel = 0;  // what is in use and in no other account (meminfo.h)
};

struct UnitBytes {
  uint64_t unit = 0;
  double bytes = 0;
};

// One kind of such memory.
class UnownedGrowth {
 public:
  // bytes: machine-wide now. takers: what each unit was handed of this kind since the last step, each unit once.
  void step(double bytes, std::span<const UnitBytes> takers);
  // What each unit has been given so far; when the machine-wide figure falls, all give back in proportion.
  std::span<const UnitBytes> given() const { return {given_.data(), given_.size()}; }

 private:
  void take_back(double bytes);
  void give(uint64_t unit, double bytes);

  double before_ = -1, late_ = 0;
  FixedVector<UnitBytes, kUnits> given_;
};

}  // namespace hosa
