#include "actuate/known_sizes.h"

namespace hosa {

uint64_t KnownSizes::key_of(std::string_view path, std::string_view executable) {
  uint64_t sum = 0xcbf29ce484222325;  // FNV-1a
  const auto add = [&sum](char c) { sum = (sum ^ static_cast<unsigned char>(c)) * 0x100000001b3; };
  bool in_number = false;
  for (const char c : path) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit || !in_number) add(digit ? '#' : c);
    in_number = digit;
  }
  add('\0');
  for (const char c : executable) add(c);
  return sum;
}

void KnownSizes::settled(uint64_t key, double bytes, uint64_t now_s) {
  if (!(bytes >= kLeastBytes)) return;
  std::size_t oldest = 0;
  for (std::size_t i = 0; i < sizes_.size(); ++i) {
    KnownSize& known = sizes_[i];
    if (known.key == key) {
      known.bytes = bytes > known.bytes ? bytes : known.bytes + kForgetting * (bytes - known.bytes);
      known.seen_s = now_s;
      return;
    }
    if (known.seen_s < sizes_[oldest].seen_s) oldest = i;
  }
  const KnownSize fresh{key, bytes, now_s};
  if (!sizes_.push_back(fresh)) sizes_[oldest] = fresh;
}

double KnownSizes::bytes_of(uint64_t key) const {
  for (const KnownSize& known : sizes_)
    if (known.key == key) return known.bytes;
  return 0;
}

void KnownSizes::restore(std::span<const KnownSize> sizes) {
  sizes_.clear();
  for (const KnownSize& size : sizes) sizes_.push_back(size);
}

}  // namespace hosa
