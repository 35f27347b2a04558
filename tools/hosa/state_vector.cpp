#include "tools/hosa/state_vector.h"

namespace hosa {

void StateVector::select(const Readings& readings) {
  size_ = 0;
  for (const DimensionRow& row : dimension_table()) {
    const DimensionSource* const source = source_in_use(row, readings);
    if (source == nullptr) continue;
    dimensions_[size_] = row.dimension;
    readers_[size_] = source->read;
    sources_[size_] = source->name;
    memory_pressure_[size_] = row.memory_pressure;
    ++size_;
  }
}

std::span<const double> StateVector::read(const Readings& readings, bool own_containment) {
  for (std::size_t i = 0; i < size_; ++i) {
    const double reading = readers_[i](readings);
    // A running total that is held keeps standing, and goes on from there afterwards: its rate is 0, without a jump.
    if (memory_pressure_[i] && own_containment) hold_offset_[i] += reading - raw_[i];
    raw_[i] = reading;
    values_[i] = reading - hold_offset_[i];
  }
  return {values_.data(), size_};
}

const DimensionSource* source_in_use(const DimensionRow& row, const Readings& readings) {
  for (const DimensionSource& source : row.chain)
    if (source.name != nullptr && source.exists(readings)) return &source;
  return nullptr;
}

void MeanLatency::add(const Sample& sample) {
  const double seconds = sample[Signal::disk_request_seconds];
  const double requests = sample[Signal::disk_reads] + sample[Signal::disk_writes];
  if (sample.monotonic_ns - read_ns_ < kSpanNs) return;
  const bool forward = read_ns_ != 0 && seconds >= seconds_ && requests > requests_;
  mean_s_ = forward ? (seconds - seconds_) / (requests - requests_) : 0;
  seconds_ = seconds;
  requests_ = requests;
  read_ns_ = sample.monotonic_ns;
}

}  // namespace hosa
