#include "tools/hosa/json_read.h"

#include "loader/sys/fixed.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

std::string_view after_key(std::string_view json, std::string_view key) {
  FixedString<64> quoted("\"");
  quoted.append(key).append("\":");
  const std::size_t at = json.find(quoted.view());
  return at == std::string_view::npos ? std::string_view{} : slice(json, at + quoted.size());
}

// The bracketed text that begins at text[0]; strings are skipped, so brackets inside them do not count.
std::string_view bracketed(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        in_string = false;
      continue;
    }
    if (text[i] == '"') in_string = true;
    if (text[i] == '{' || text[i] == '[') ++depth;
    if ((text[i] == '}' || text[i] == ']') && --depth == 0) return slice(text, 0, i + 1);
  }
  return {};
}

}  // namespace

std::string_view json_value(std::string_view json, std::string_view key) {
  const std::string_view rest = after_key(json, key);
  if (rest.empty()) return {};
  if (rest.front() == '"') return slice(rest, 1, rest.find('"', 1) - 1);
  return slice(rest, 0, rest.find_first_of(",}]"));
}

// Whole part, fraction and exponent, as format_number writes them (1.5e-07).
double json_number(std::string_view json, std::string_view key, double otherwise) {
  std::string_view text = json_value(json, key);
  const bool negative = !text.empty() && text.front() == '-';
  if (negative) text.remove_prefix(1);
  std::string_view digits = take_until(text, 'e');
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  const int exponent = to_number<int>(text).value_or(0);
  const auto integer = to_number<uint64_t>(take_until(digits, '.'));
  if (!integer) return otherwise;
  double value = 0, scale = 0.1;
  for (const char c : digits) {
    if (c < '0' || c > '9') break;
    value += (c - '0') * scale;
    scale /= 10;
  }
  value += static_cast<double>(*integer);
  for (int i = 0; i < exponent && i < 300; ++i) value *= 10;
  for (int i = 0; i > exponent && i > -300; --i) value /= 10;
  return negative ? -value : value;
}

std::string_view json_block(std::string_view json, std::string_view key) {
  const std::string_view rest = after_key(json, key);
  return !rest.empty() && (rest.front() == '{' || rest.front() == '[') ? bracketed(rest) : std::string_view{};
}

std::string_view next_object(std::string_view& array) {
  const std::size_t at = array.find('{');
  if (at == std::string_view::npos) return {};
  const std::string_view object = bracketed(slice(array, at));
  array = slice(array, at + object.size());
  return object;
}

}  // namespace hosa
