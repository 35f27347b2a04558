// The state vector: which dimensions this machine has, and their readings at one moment.
//
// One table (state_vector.cpp) drives sensing, names in output and documentation: each row is a detect::Dimension, its
// reading from the probes or, where they are missing, from /proc, and the condition under which it exists. select()
// asks once, at start, what is there; the vector's length is what this machine has.
#pragma once
#include <array>
#include <span>

#include "detect/dimension.h"
#include "proprioception/sensors.h"
#include "tools/hosa/kernel_side.h"

namespace hosa {

// What a row may read.
struct Readings {
  const Sample* sample = nullptr;
  Counters counters;
  const KernelSide* kernel = nullptr;
  double cpus = 1;  // online
};

class StateVector {
 public:
  void select(const Readings& readings);
  std::span<const detect::Dimension> dimensions() const { return {dimensions_.data(), size_}; }
  // Raw readings in the order of dimensions(). own_containment: PSI memory is what our own limits make it, so it keeps
  // its last calm value (findings 0.5).
  std::span<const double> read(const Readings& readings, bool own_containment);
  const char* source(std::size_t i) const { return sources_[i]; }

 private:
  using Reader = double (*)(const Readings&);
  std::array<detect::Dimension, detect::kMaxDimensions> dimensions_{};
  std::array<Reader, detect::kMaxDimensions> readers_{};
  std::array<const char*, detect::kMaxDimensions> sources_{};
  std::array<bool, detect::kMaxDimensions> memory_pressure_{};
  std::array<double, detect::kMaxDimensions> values_{}, hold_offset_{}, raw_{};
  std::size_t size_ = 0;
};

}  // namespace hosa
