#include "proprioception/buddyinfo.h"

#include <bit>

#include "proprioception/field_table.h"

namespace hosa {

Buddyinfo parse_buddyinfo(std::string_view text) {
  Buddyinfo out;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with("Node ")) continue;
    take_until(line, ',');
    if (take_word(line) != "zone" || take_word(line).empty()) continue;
    for (unsigned order = 0; order < kMaxOrders; ++order) {
      const auto blocks = to_number(take_word(line));
      if (!blocks || *blocks >> 52 != 0) break;  // more free blocks than 2^52: no such machine
      out.free_blocks[order] += *blocks;
      if (order >= out.orders) out.orders = order + 1;
    }
  }
  return out;
}

double log2_portable(double value) {
  const uint64_t bits = std::bit_cast<uint64_t>(value);
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023;
  const double mantissa = std::bit_cast<double>((bits & 0xfffffffffffffULL) | 0x3ff0000000000000ULL);  // 1 <= m < 2
  const bool above = mantissa > 1.4142135623730951;
  const double m = above ? mantissa * 0.5 : mantissa;  // 0.707..1.414, so |t| <= 0.1716 and t^2 <= 0.0295
  const double t = (m - 1.0) / (m + 1.0);
  const double t2 = t * t;
  double series = 0.0;
  for (int k = 21; k >= 1; k -= 2) series = series * t2 + 1.0 / k;
  constexpr double kTwoOverLn2 = 2.8853900817779268;
  return static_cast<double>(exponent + (above ? 1 : 0)) + kTwoOverLn2 * t * series;
}

double free_order_entropy_bits(const Buddyinfo& blocks) {
  double total = 0.0, entropy = 0.0;
  for (unsigned order = 0; order < blocks.orders; ++order) total += static_cast<double>(blocks.free_blocks[order]);
  if (total <= 0.0) return 0.0;
  for (unsigned order = 0; order < blocks.orders; ++order) {
    if (blocks.free_blocks[order] == 0) continue;
    const double share = static_cast<double>(blocks.free_blocks[order]) / total;
    entropy -= share * log2_portable(share);
  }
  return entropy > 0.0 ? entropy : 0.0;
}

std::optional<double> free_order_entropy_norm(const Buddyinfo& blocks) {
  if (blocks.orders < 2) return std::nullopt;
  return free_order_entropy_bits(blocks) / log2_portable(static_cast<double>(blocks.orders));
}

}  // namespace hosa
