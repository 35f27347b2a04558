// /proc/buddyinfo: how many free blocks there are of each order (2^order pages), per node and zone. The entropy of that
// distribution falls when only one kind of block is left:
//   H = -sum p_i log2 p_i,  p_i = free blocks of order i (all nodes and zones) / all free blocks
// in bits; divided by log2(number of orders) it is 0..1. Example: 1200 600 310 150 80 41 20 9 5 2 1 gives 2.0106 bits.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hosa {

// MAX_ORDER is 11 (orders 0..10) on most kernels, up to 14 on arm64 with 64K pages; 20 leaves room.
constexpr unsigned kMaxOrders = 20;

struct Buddyinfo {
  unsigned orders = 0;  // 0: nothing could be read
  std::array<uint64_t, kMaxOrders> free_blocks{};
};

Buddyinfo parse_buddyinfo(std::string_view text);
double free_order_entropy_bits(const Buddyinfo& blocks);
std::optional<double> free_order_entropy_norm(const Buddyinfo& blocks);

// log2 of a positive number by halving and the atanh series: the same bits with every libc and on every machine, which
// libm does not promise (musl and glibc differ). Relative error below 1e-15 for the range used here.
double log2_portable(double value);

}  // namespace hosa
