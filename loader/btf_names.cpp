#include "loader/btf_names.h"

#include <bit>

#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr std::size_t kBlockBytes = 65536;
constexpr std::size_t kSlack = 8;  // words are read eight bytes at a time
constexpr uint32_t kStartBits = 65536;

uint32_t start_hash(uint32_t a, uint32_t b, uint32_t c) {
  return (a | b << 8 | c << 16) * 2654435761U >> 16;  // Knuth's multiplier; the upper half is well mixed
}

// The first NUL at or after `from`; `end` when there is none before it. A zero byte is where subtracting one borrows.
std::size_t find_nul(const unsigned char* text, std::size_t from, std::size_t end) {
  constexpr uint64_t kOnes = 0x0101010101010101U, kTops = 0x8080808080808080U;
  for (; from < end; from += 8) {
    uint64_t word;
    std::memcpy(&word, text + from, sizeof word);
    const uint64_t zeros = (word - kOnes) & ~word & kTops;
    if (zeros == 0) continue;
    from += static_cast<std::size_t>(std::countr_zero(zeros)) / 8;
    return from < end ? from : end;
  }
  return end;
}

}  // namespace

void NameSet::clear() {
  text_.clear();
  entries_.clear();
  slots_.clear();
  starts_.clear();
}

std::optional<uint32_t> NameSet::find(std::string_view whole) const {
  const std::string_view name = without_flavour(whole);
  if (slots_.empty()) return std::nullopt;
  const uint32_t hash = name_hash(name);
  for (std::size_t i = hash;; ++i) {
    const uint32_t slot = slots_[i & (slots_.size() - 1)];
    if (slot == 0) return std::nullopt;
    if (entries_[slot - 1].hash == hash && this->name(slot - 1) == name) return slot - 1;
  }
}

bool NameSet::grow() {
  const std::size_t slots = slots_.empty() ? 64 : slots_.size() * 2;
  slots_.clear();
  if (!slots_.reserve(slots)) return false;
  for (std::size_t i = 0; i < slots; ++i)
    if (!slots_.push_back(0)) return false;
  for (uint32_t number = 0; number < entries_.size(); ++number) {
    std::size_t i = entries_[number].hash;
    while (slots_[i & (slots - 1)] != 0) ++i;
    slots_[i & (slots - 1)] = number + 1;
  }
  return true;
}

bool NameSet::add(std::string_view whole) {
  const std::string_view name = without_flavour(whole);
  if (name.empty() || find(name)) return true;
  while (starts_.size() < kStartBits / 64)
    if (!starts_.push_back(0)) return false;
  const auto at = static_cast<uint32_t>(text_.size());
  if (!text_.append(name.data(), name.size())) return false;
  if (!entries_.push_back({at, static_cast<uint32_t>(name.size()), name_hash(name)})) return false;
  remember_start(name);
  if (entries_.size() * 2 > slots_.size()) return grow();
  std::size_t i = entries_[entries_.size() - 1].hash;
  while (slots_[i & (slots_.size() - 1)] != 0) ++i;
  slots_[i & (slots_.size() - 1)] = static_cast<uint32_t>(entries_.size());
  return true;
}

// A name of one or two letters also starts what has a flavour: "x" and "x___old".
void NameSet::remember_start(std::string_view name) {
  const auto letter = [&](std::size_t i, char instead) {
    return static_cast<unsigned char>(i < name.size() ? name[i] : instead);
  };
  for (const char instead : {'\0', '_'}) {
    const uint32_t hash = start_hash(letter(0, instead), letter(1, instead), letter(2, instead));
    starts_[hash / 64] |= uint64_t{1} << hash % 64;
  }
}

bool NameSet::may_start(const unsigned char* text) const {
  const uint32_t second = text[0] == 0 ? 0 : text[1];
  const uint32_t hash = start_hash(text[0], second, second == 0 ? 0 : text[2]);
  return (starts_[hash / 64] >> hash % 64 & 1) != 0;
}

Result<void> NameSet::find_strings(const Btf& btf, List<NamedString>& out) const {
  List<unsigned char> block;
  if (entries_.empty()) return {};
  if (!block.reserve(kBlockBytes + kSlack)) return make_error(ENOMEM, "read names of BTF");
  std::size_t held = 0;
  for (uint64_t at = 0; at + held < btf.strings_size();) {
    const uint64_t left = btf.strings_size() - at - held;
    const std::size_t take = left < kBlockBytes - held ? static_cast<std::size_t>(left) : kBlockBytes - held;
    if (!btf.copy_strings(at + held, block.data() + held, take)) return make_error(EIO, "read names of BTF");
    held += take;
    std::memset(block.data() + held, 0, kSlack);
    std::size_t start = 0;
    for (std::size_t end; (end = find_nul(block.data(), start, held)) < held; start = end + 1) {
      if (!may_start(block.data() + start)) continue;
      const auto wanted = find({reinterpret_cast<const char*>(block.data() + start), end - start});
      if (wanted && !out.push_back({btf.first_string() + static_cast<uint32_t>(at + start), *wanted}))
        return make_error(ENOMEM, "read names of BTF");
    }
    if (start == 0) start = held;  // a name longer than the block is nobody's
    held -= start;
    at += start;
    std::memmove(block.data(), block.data() + start, held);
  }
  return {};
}

}  // namespace hosa
