#include "detect/dimension.h"

#include <algorithm>
#include <array>

#include "detect/arithmetic.h"

namespace hosa::detect {

double transform(const Dimension& dimension, double value) {
  constexpr double kLargest = 1e100;  // its square is finite
  const double positive = value > 0 ? value : 0;
  switch (dimension.kind) {
    case Kind::rate: return log_one_plus(positive / (dimension.scale > 0 ? dimension.scale : 1));
    case Kind::share: return positive < 1.5 ? positive : 1.5;
    case Kind::count: return log_one_plus(positive);
    case Kind::fraction: return value > kLargest ? kLargest : value < -kLargest ? -kLargest : value;
    case Kind::number: return natural_log(positive > 1 ? positive : 1);
  }
  return value;
}

// The logarithms of rates and counts are taken together, two by two (a quarter of a step went into them one by one).
void transform_each(std::span<const Dimension> dimensions, const double* values, double* y) {
  constexpr double kLargest = 1e300;  // the rate of two finite totals may be infinite
  std::array<double, kMaxDimensions> logs;
  std::array<uint8_t, kMaxDimensions> of;
  std::size_t count = 0;
  for (std::size_t j = 0; j < dimensions.size(); ++j) {
    const Dimension& dimension = dimensions[j];
    if (dimension.kind != Kind::rate && dimension.kind != Kind::count) {
      y[j] = transform(dimension, values[j]);
      continue;
    }
    const double scale = dimension.kind == Kind::rate && dimension.scale > 0 ? dimension.scale : 1;
    logs[count] = (values[j] > 0 ? std::min(values[j], kLargest) : 0) / scale;
    of[count++] = static_cast<uint8_t>(j);
  }
  log_one_plus_each(logs.data(), count);
  for (std::size_t k = 0; k < count; ++k) y[of[k]] = logs[k];
}

double untransform(const Dimension& dimension, double y) {
  constexpr double kLargest = 700;  // e^700 is still finite
  const double bounded = y < kLargest ? y : kLargest;
  switch (dimension.kind) {
    case Kind::rate: return exponential_minus_one(bounded) * (dimension.scale > 0 ? dimension.scale : 1);
    case Kind::count: return exponential_minus_one(bounded);
    case Kind::number: return exponential(bounded);
    case Kind::share:
    case Kind::fraction: return y;
  }
  return y;
}

const char* resource_name(Resource resource) {
  switch (resource) {
    case Resource::cpu: return "cpu";
    case Resource::tasks: return "tasks";
    case Resource::memory: return "memory";
    case Resource::io: return "io";
    case Resource::network: return "network";
    case Resource::board: return "board";
  }
  return "unknown";
}

}  // namespace hosa::detect
