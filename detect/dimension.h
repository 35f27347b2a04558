// One dimension of the state vector: its name and what turns a reading into a number that behaves.
//
// The sensors fill a table of these once at start-up, in the order in which they will hand over readings; the detector
// keeps a view of it. Nothing here knows where a reading comes from. Source of kinds, scales and floors:
// detection.md 2.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hosa::detect {

// At most 47 dimensions beside the topology-sized ones (8 memory nodes, 8 last-level caches). All memory of this room
// is sized by it. (Another number is for measuring alone: test/detect/state.cpp.)
#ifndef HOSA_DIMENSIONS
#define HOSA_DIMENSIONS 64
#endif
inline constexpr std::size_t kMaxDimensions = HOSA_DIMENSIONS;

// How a value becomes y:  rate ln(1 + x/scale) · share x within 0..1.5 · count ln(1 + x) · fraction x · number
// ln(max(x, 1)). Logarithms because a load that doubles is one step whatever it was; negative readings count as 0.
enum class Kind : uint8_t { rate, share, count, fraction, number };

// Which resource a dimension speaks for: decides whose growth is searched and which rungs may be used.
enum class Resource : uint8_t { cpu, tasks, memory, io, network, board };
inline constexpr std::size_t kResources = 6;
const char* resource_name(Resource resource);

struct Dimension {
  const char* name;  // literal, e.g. "forks"
  const char* unit;  // literal, after windowing: "1/s", "share", "1"
  Kind kind;
  double scale;  // r_j of a rate, in its unit; the steps a number is counted in; other kinds ignore it
  int sign;      // +1 more means more load, -1 less means more load
  double floor;  // f_j: smallest scale that may divide a deviation, in y; > 0
  Resource resource;
  bool cumulative;  // the reading is a running total; its rate per second over the window is the value. A share may
                    // be one too: busy seconds per CPU, PSI seconds.
};

// y of one value (for cumulative dimensions: of its rate). Finite in, finite out.
double transform(const Dimension& dimension, double value);
// y of all values, likewise.
void transform_each(std::span<const Dimension> dimensions, const double* values, double* y);
// The value that has this y: what is shown of a mean that was learned of y.
double untransform(const Dimension& dimension, double y);

}  // namespace hosa::detect
