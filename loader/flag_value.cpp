// find_flag: working out the constant expressions of tracefs print lines (tracefs.h).
#include <optional>

#include "loader/sys/text.h"
#include "loader/tracefs.h"

namespace hosa {
namespace {

// Recursive descent over: or -> and -> shift -> sum -> unary -> number | ( or ) | ( type ) unary.
class Expression {
 public:
  explicit Expression(std::string_view text) : text_(text) {}

  std::optional<uint64_t> value() {
    const uint64_t result = alternatives();
    skip_blanks();
    if (failed_ || !text_.empty()) return std::nullopt;
    return result;
  }

 private:
  static constexpr int kDeepest = 64;  // 6.18's GFP_TRANSHUGE nests 20 deep

  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }

  void skip_blanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t')) text_.remove_prefix(1);
  }
  bool take(std::string_view token) {
    skip_blanks();
    if (slice(text_, 0, token.size()) != token) return false;
    text_ = slice(text_, token.size());
    return true;
  }
  uint64_t fail() {
    failed_ = true;
    return 0;
  }

  uint64_t alternatives() {
    uint64_t left = conjunction();
    while (!failed_ && take("|")) left |= conjunction();
    return left;
  }
  uint64_t conjunction() {
    uint64_t left = shift();
    while (!failed_ && take("&")) left &= shift();
    return left;
  }
  uint64_t shift() {
    uint64_t left = sum();
    while (!failed_ && take("<<")) {
      const uint64_t by = sum();
      left = by < 64 ? left << by : fail();
    }
    return left;
  }
  uint64_t sum() {
    uint64_t left = unary();
    for (;;) {
      if (failed_) return 0;
      if (take("+"))
        left += unary();
      else if (take("-"))
        left -= unary();
      else
        return left;
    }
  }
  uint64_t unary() {
    if (++depth_ > kDeepest) return fail();
    const uint64_t result = take("~") ? ~unary() : take("(") ? parenthesised() : number();
    --depth_;
    return result;
  }
  // After "(": a type of one or more words is a cast and changes nothing here; anything else is an expression.
  uint64_t parenthesised() {
    skip_blanks();
    if (!text_.empty() && is_letter(text_.front())) {
      while (!text_.empty() && (is_letter(text_.front()) || is_digit(text_.front()) || text_.front() == ' '))
        text_.remove_prefix(1);
      return take(")") ? unary() : fail();
    }
    const uint64_t inner = alternatives();
    return take(")") ? inner : fail();
  }
  uint64_t number() {
    skip_blanks();
    const int base = slice(text_, 0, 2) == "0x" ? 16 : 10;
    if (base == 16) text_ = slice(text_, 2);
    uint64_t result = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), result, base);
    if (error != std::errc{}) return fail();
    text_ = slice(text_, static_cast<std::size_t>(end - text_.data()));
    while (!text_.empty() &&
           (text_.front() == 'U' || text_.front() == 'u' || text_.front() == 'L' || text_.front() == 'l'))
      text_.remove_prefix(1);
    return result;
  }

  std::string_view text_;
  int depth_ = 0;
  bool failed_ = false;
};

// The quoted name, with its quotes, as the second half of a {value, "NAME"} pair.
std::size_t find_quoted(std::string_view text, std::string_view name) {
  for (std::size_t at = text.find(name); at != std::string_view::npos; at = text.find(name, at + 1)) {
    const std::size_t end = at + name.size();
    if (at > 0 && text[at - 1] == '"' && end < text.size() && text[end] == '"') return at - 1;
  }
  return std::string_view::npos;
}

}  // namespace

std::optional<uint64_t> find_flag(std::string_view format, std::string_view flag) {
  if (flag.empty()) return std::nullopt;
  const std::size_t quote = find_quoted(format, flag);
  if (quote == std::string_view::npos) return std::nullopt;
  const std::string_view before = slice(format, 0, quote);
  const std::size_t brace = before.rfind('{');
  const std::size_t comma = before.rfind(',');
  if (brace == std::string_view::npos || comma == std::string_view::npos || comma < brace) return std::nullopt;
  return Expression(slice(before, brace + 1, comma - brace - 1)).value();
}

}  // namespace hosa
