// How many NUMA nodes there really are. A Raspberry Pi 5 boots with numa=fake: several nodes whose distance to each
// other is 10, the distance of a node to itself (ACPI SLIT; drivers/base/node.c), and which share all CPUs. Such nodes
// are one.
#pragma once
#include <cstdint>

#include "loader/sys/fd.h"

namespace hosa {

inline constexpr unsigned kMaxNodes = 64;

// The online nodes, each with the number of the real node it is part of.
struct NumaNodes {
  unsigned count = 0;  // online, as the kernel counts
  unsigned real = 1;   // groups
  uint16_t number[kMaxNodes] = {};
  uint8_t group[kMaxNodes] = {};  // below `real`
};
NumaNodes read_numa_nodes(const Fd& sys);

// From sys/devices/system/node/{online,nodeN/distance}; 1 where the kernel has no NUMA. At most 64 nodes are looked at.
unsigned count_numa_nodes(const Fd& sys);

}  // namespace hosa
