// Latency: a histogram of durations in quarter-octave buckets (19 % wide), fixed memory, no allocation. Used for the
// loop's own figures: how long a tick took, how long a record waited.
#pragma once
#include <array>
#include <bit>
#include <cstdint>

namespace hosa {

class Latency {
 public:
  void add_ns(uint64_t ns) {
    ++count_;
    ++buckets_[bucket_of(ns)];
    if (ns > longest_ns_) longest_ns_ = ns;
  }
  uint64_t count() const { return count_; }
  uint64_t longest_ns() const { return longest_ns_; }
  // Upper edge of the bucket in which the quantile lies; 0 when nothing was measured.
  uint64_t quantile_ns(double q) const {
    const auto wanted = static_cast<uint64_t>(q * static_cast<double>(count_));
    uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > wanted) return upper_edge(i) < longest_ns_ ? upper_edge(i) : longest_ns_;
    }
    return longest_ns_;
  }

 private:
  static std::size_t bucket_of(uint64_t ns) {
    if (ns < 4) return static_cast<std::size_t>(ns);
    const auto octave = static_cast<std::size_t>(std::bit_width(ns)) - 1;
    return octave * 4 + ((ns >> (octave - 2)) & 3);
  }
  static uint64_t upper_edge(std::size_t bucket) {
    if (bucket < 8) return bucket;
    const auto octave = bucket / 4, quarter = bucket % 4;
    return (uint64_t{1} << octave) + ((quarter + 1) << (octave - 2));
  }
  std::array<uint64_t, 256> buckets_{};
  uint64_t count_ = 0, longest_ns_ = 0;
};

}  // namespace hosa
