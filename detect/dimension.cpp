#include "detect/dimension.h"

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
