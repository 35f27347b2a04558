// How many NUMA nodes there really are. A Raspberry Pi 5 boots with numa=fake: several nodes whose distance to each
// other is 10, the distance of a node to itself (ACPI SLIT; drivers/base/node.c), and which share all CPUs. Such nodes
// are one.
#pragma once
#include "loader/sys/fd.h"

namespace hosa {

// From sys/devices/system/node/{online,nodeN/distance}; 1 where the kernel has no NUMA. At most 64 nodes are looked at.
unsigned count_numa_nodes(const Fd& sys);

}  // namespace hosa
