// One pass over a text of "key value" or "Key:  value kB" lines (meminfo, vmstat, memory.stat), filling the members a
// table names. A key that is absent leaves its member empty; a value that is no number or too large does, too.
#pragma once
#include <span>

#include "loader/sys/text.h"

namespace hosa {

template <class Record>
struct Field {
  std::string_view key;
  std::optional<uint64_t> Record::*member;
};

// The letters that keys begin with. /proc/vmstat has 150 lines and a dozen of them matter: with the others left out by
// their first letter it is read in 0.2 ms instead of 0.7 on a 125 MIPS board.
class FirstLetters {
 public:
  constexpr void add(char letter) { bits_[index(letter) / 64] |= uint64_t{1} << index(letter) % 64; }
  constexpr bool have(char letter) const { return (bits_[index(letter) / 64] >> index(letter) % 64 & 1) != 0; }

 private:
  static constexpr unsigned index(char letter) { return static_cast<unsigned char>(letter); }
  uint64_t bits_[4] = {};
};

template <class Record>
constexpr FirstLetters first_letters(std::span<const Field<Record>> table) {
  FirstLetters letters;
  for (const Field<Record>& field : table) letters.add(field.key.front());
  return letters;
}

// Calls take(key, value) for each line that is a word, an optional colon, and an unsigned number.
template <class Take>
void each_field(std::string_view text, const FirstLetters& letters, Take take) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.empty() || !letters.have(line.front())) continue;
    std::string_view key = take_word(line);
    if (key.ends_with(':')) key.remove_suffix(1);
    const auto value = to_number(take_word(line));
    if (!key.empty() && value) take(key, *value);
  }
}

template <class Record>
void fill_fields(std::string_view text, std::span<const Field<Record>> table, uint64_t unit, Record& out) {
  each_field(text, first_letters(table), [&](std::string_view key, uint64_t value) {
    uint64_t scaled = 0;
    if (__builtin_mul_overflow(value, unit, &scaled)) return;
    for (const Field<Record>& field : table)
      if (field.key == key) out.*field.member = scaled;
  });
}

// Sum of optional counters: empty + 3 is 3. Saturates.
inline void add_to(std::optional<uint64_t>& sum, std::optional<uint64_t> value) {
  if (!value) return;
  uint64_t total = 0;
  sum = __builtin_add_overflow(sum.value_or(0), *value, &total) ? UINT64_MAX : total;
}

}  // namespace hosa
