// The state vector: which dimensions this machine has, and their readings at one moment. select() asks the dimension
// table once, at start, what is there; the vector's length is what this machine has.
#pragma once
#include <array>
#include <span>

#include "tools/hosa/dimension_table.h"

namespace hosa {

// The first source of the row's chain that this machine has; nullptr when it has none.
const DimensionSource* source_in_use(const DimensionRow& row, const Readings& readings);

// Mean time of the requests that were completed in the last half second; 0 when there was none. A quotient of two
// totals, which a rate cannot be.
class MeanLatency {
 public:
  void add(const Sample& sample);
  double mean_s() const { return mean_s_; }

 private:
  static constexpr uint64_t kSpanNs = 450'000'000;
  double seconds_ = 0, requests_ = 0, mean_s_ = 0;
  uint64_t read_ns_ = 0;
};

class StateVector {
 public:
  void select(const Readings& readings);
  std::span<const detect::Dimension> dimensions() const { return {dimensions_.data(), size_}; }
  // Raw readings in the order of dimensions(). own_containment: PSI memory is what our own limits make it, so it keeps
  // its last calm value (findings 0.5).
  std::span<const double> read(const Readings& readings, bool own_containment);
  std::span<const double> readings() const { return {values_.data(), size_}; }  // what read() answered last
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
