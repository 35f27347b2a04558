// Reading numbers and words out of kernel text. Every function takes a checked view and never reads past it; a value
// that is missing, not a number or too large answers nothing (std::optional), never a guess.
#pragma once
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

namespace hosa {

inline std::string_view slice(std::string_view text, std::size_t from, std::size_t count = std::string_view::npos) {
  if (from >= text.size()) return {};
  const std::size_t left = text.size() - from;
  return {text.data() + from, count < left ? count : left};
}

inline std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t' || text.front() == '\n')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n')) text.remove_suffix(1);
  return text;
}

// Takes everything up to the separator (or all) from the front of text and drops the separator.
inline std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t at = text.find(separator);
  const std::string_view head = slice(text, 0, at);
  text = at == std::string_view::npos ? std::string_view{} : slice(text, at + 1);
  return head;
}

inline std::string_view take_line(std::string_view& text) {
  return take_until(text, '\n');
}

// The next word: runs of spaces and tabs separate.
inline std::string_view take_word(std::string_view& text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  std::size_t end = 0;
  while (end < text.size() && text[end] != ' ' && text[end] != '\t' && text[end] != '\n') ++end;
  const std::string_view word = slice(text, 0, end);
  text = slice(text, end);
  return word;
}

// The whole of text must be the number.
template <class Integer = uint64_t>
std::optional<Integer> to_number(std::string_view text, int base = 10) {
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// The number after `key` at the start of a line: find_field("anon 12\nfile 3\n", "file") == 3; also "MemTotal:  12 kB".
inline std::optional<uint64_t> find_field(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (line.size() <= key.size() || slice(line, 0, key.size()) != key) continue;
    line = slice(line, key.size());
    if (line.front() != ' ' && line.front() != '\t' && line.front() != ':') continue;
    if (line.front() == ':') line.remove_prefix(1);
    return to_number(take_word(line));
  }
  return std::nullopt;
}

}  // namespace hosa
