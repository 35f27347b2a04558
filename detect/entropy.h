// Entropy of a mix: H = -sum p log2 p, in bits. 0 for nothing and for one kind only.
#pragma once
#include <cstdint>
#include <span>

namespace hosa::detect {

// now - before, wrapping around, are the amounts of each kind. Both have the same length.
struct Mix {
  double bits = 0;
  uint64_t total = 0;
};
Mix mix_entropy(std::span<const uint32_t> now, std::span<const uint32_t> before);

}  // namespace hosa::detect
