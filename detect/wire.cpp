#include "detect/wire.h"

#include <algorithm>

namespace hosa::detect {

uint64_t bucket_edge(std::size_t bucket) {
  if (bucket < 2) return bucket;
  const std::size_t octave = bucket / 2;
  return bucket % 2 == 0 ? uint64_t{1} << octave : uint64_t{3} << (octave - 1);
}

uint64_t WireHistogram::limit(double seconds) const {
  const double allowed = seconds / kBetweenTripsS;
  double above = 0;
  for (std::size_t bucket = HOSA_BUCKETS; bucket > 0; --bucket) {
    above += counts_[bucket - 1];
    if (above > allowed) return bucket_edge(bucket);
  }
  return 0;
}

// First: 128 KiB in 10 ms is a leak of 50 MB/s after 3 ms (findings 2), and after 5 where it moves between two CPUs: at
// 256 KiB that one filled neither's window. What it trips beside is told to be churn by two preads; 2 MB in 1 s sees 5
// MB/s even when it is spread over two CPUs. All pages: page cache and slab pass there too, so four times as much.
// Forks: a storm of 1000/s crosses 5 in 10 ms. A board of 125 MIPS makes its children at 200/s, seldom five in one
// window, and 150 of them were there after 0.8 s; 32 that all want to run are a storm (fork_watch.h), and where they do
// not, two texts tell.
WireBounds wire_bounds(std::size_t subject, std::size_t span, std::size_t cpus) {
  constexpr uint64_t kKilo = 1024, kMega = 1024 * 1024;
  const bool brief = span == HOSA_SHORT_WINDOW;
  if (subject == HOSA_FORKS) return brief ? WireBounds{5, 5, 20} : WireBounds{32, 32, 600};
  const uint64_t most_second = std::clamp<uint64_t>(16 * kMega / std::max<std::size_t>(cpus, 1), 2 * kMega, 8 * kMega);
  WireBounds bytes = brief ? WireBounds{128 * kKilo, 128 * kKilo, kMega} : WireBounds{2 * kMega, kMega, most_second};
  if (subject == HOSA_ALL_BYTES) bytes = {bytes.first * 4, bytes.least * 4, bytes.most * 4};
  return bytes;
}

}  // namespace hosa::detect
