#include "proprioception/pressure.h"

#include "loader/sys/text.h"

namespace hosa {

namespace {
std::optional<uint64_t> total_of(std::string_view words) {
  for (std::string_view word = take_word(words); !word.empty(); word = take_word(words))
    if (word.starts_with("total=")) return to_number(slice(word, 6));
  return std::nullopt;
}
}  // namespace

Pressure parse_pressure(std::string_view text) {
  Pressure out;
  while (!text.empty()) {
    std::string_view line = take_line(text);
    const std::string_view kind = take_word(line);
    if (kind == "some") out.some_us = total_of(line);
    if (kind == "full") out.full_us = total_of(line);
  }
  return out;
}

}  // namespace hosa
