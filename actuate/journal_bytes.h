// Checksums and texts of the journal's records, for the files that write and judge them.
#pragma once
#include <cstring>
#include <optional>
#include <string_view>

#include "actuate/journal_layout.h"

namespace hosa::journal_layout {

// FNV-1a, 64 bit: each step is a bijection of the state, so a single changed byte always changes the sum.
inline uint64_t checksum_of(const void* start, std::size_t count, uint64_t sum = 0xcbf29ce484222325) {
  const unsigned char* bytes = static_cast<const unsigned char*>(start);
  for (std::size_t i = 0; i < count; ++i) sum = (sum ^ bytes[i]) * 0x100000001b3;
  return sum;
}

inline uint64_t sum_of(const Header& h) {
  return checksum_of(&h, offsetof(Header, checksum));
}
inline uint64_t sum_of(const Entry& e) {
  return checksum_of(&e, offsetof(Entry, checksum));
}
inline uint64_t sum_of(const Value& v) {
  return checksum_of(&v, offsetof(Value, checksum));
}
inline uint64_t sum_of(const Path& p) {
  return checksum_of(&p.cgroup_id, sizeof p - offsetof(Path, cgroup_id));
}

template <std::size_t N>
void put_text(char (&to)[N], std::string_view text) {
  std::memset(to, 0, N);
  if (!text.empty()) std::memcpy(to, text.data(), text.size());  // the caller has checked text.size() < N
}

// Nothing when the text does not end inside its field.
template <std::size_t N>
std::optional<std::string_view> get_text(const char (&from)[N]) {
  const void* end = std::memchr(from, 0, N);
  if (end == nullptr) return std::nullopt;
  return std::string_view(from, static_cast<std::size_t>(static_cast<const char*>(end) - from));
}

}  // namespace hosa::journal_layout
