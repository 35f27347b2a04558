// The dimension table: everything that hosa senses, each with its unit, load sign and whole fallback chain. It drives
// sensing (state_vector.h), names in output, `hosa doctor` and the documentation (`hosa doctor --table`). A row is a
// detect::Dimension and at most three sources, best first; the first one that exists on this machine is used, and one
// without any is left out of the vector. Topology-sized rows exist only where there are several of the kind.
#pragma once
#include <span>

#include "detect/dimension.h"
#include "proprioception/hardware_sensors.h"
#include "proprioception/sensors.h"
#include "tools/hosa/kernel_side.h"

namespace hosa {

// What a row may read.
struct Readings {
  const Sample* sample = nullptr;
  const Hardware* hardware = nullptr;
  Counters counters;
  const KernelSide* kernel = nullptr;
  double cpus = 1;          // online
  double io_latency_s = 0;  // mean over the last half second with requests
};

// What a source stands and falls with: the reason when it is missing, and what would bring it.
enum class Need : uint8_t {
  file,
  memory_probe,
  wakeup_probe,
  fault_probe,
  brk_probe,
  block_probe,
  fork_probe,
  psi,
  swap,
  board,
  several
};

struct DimensionSource {
  const char* name = nullptr;  // nullptr: the chain ended before
  Need need = Need::file;
  bool (*exists)(const Readings&) = nullptr;
  double (*read)(const Readings&) = nullptr;
  const char* loses = "";  // against the source before it
};

inline constexpr std::size_t kMostSources = 3;
struct DimensionRow {
  detect::Dimension dimension;
  const char* means;  // what it is, for people
  DimensionSource chain[kMostSources];
  bool memory_pressure = false;  // made by our own limits, too (findings 0.5): held while they are in force
};

std::span<const DimensionRow> dimension_table();

}  // namespace hosa
