#include "tools/hosa/json.h"

#include "detect/number_format.h"

namespace hosa {

void JsonLine::comma() {
  if (!first_) text_.append(",");
  first_ = false;
}

// Strings from outside may hold anything: control bytes, quotes and what is not ASCII are written as \u00XX.
void JsonLine::quoted(std::string_view value) {
  constexpr char kHex[] = "0123456789abcdef";
  text_.append("\"");
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      const char pair[2] = {'\\', c};
      text_.append({pair, 2});
    } else if (byte < 0x20 || byte >= 0x7f) {
      const char escape[6] = {'\\', 'u', '0', '0', kHex[byte >> 4], kHex[byte & 15]};
      text_.append({escape, 6});
    } else {
      text_.append({&c, 1});
    }
  }
  text_.append("\"");
}

void JsonLine::key(std::string_view name) {
  comma();
  quoted(name);
  text_.append(":");
}

void JsonLine::plain(double value) {
  char digits[32];
  text_.append({digits, detect::format_number(value, digits)});
}

JsonLine& JsonLine::text(std::string_view name, std::string_view value) {
  if (!fits(name.size() + 6 * value.size() + 8)) {
    cut_ = true;
    return *this;
  }
  key(name);
  quoted(value);
  return *this;
}

JsonLine& JsonLine::number(std::string_view name, double value) {
  if (!fits(name.size() + 40)) {
    cut_ = true;
    return *this;
  }
  key(name);
  plain(value);
  return *this;
}

JsonLine& JsonLine::integer(std::string_view name, int64_t value) {
  if (!fits(name.size() + 40)) {
    cut_ = true;
    return *this;
  }
  key(name);
  FixedString<24> digits;
  text_.append(digits.append_number(value).view());
  return *this;
}

JsonLine& JsonLine::flag(std::string_view name, bool value) {
  if (!fits(name.size() + 16)) {
    cut_ = true;
    return *this;
  }
  key(name);
  text_.append(value ? "true" : "false");
  return *this;
}

JsonLine& JsonLine::object(std::string_view name, std::string_view json) {
  while (!json.empty() && json.back() == '\n') json.remove_suffix(1);
  if (json.size() < 2 || json.front() != '{' || json.back() != '}' || !fits(name.size() + json.size() + 8)) {
    cut_ = true;
    return *this;
  }
  key(name);
  text_.append(json);
  return *this;
}

JsonLine& JsonLine::open(std::string_view name, char bracket) {
  if (name.empty())
    comma();
  else
    key(name);
  text_.append({&bracket, 1});
  first_ = true;
  ++depth_;
  return *this;
}

JsonLine& JsonLine::close(char bracket) {
  text_.append({&bracket, 1});
  first_ = false;
  --depth_;
  return *this;
}

JsonLine& JsonLine::item(double value) {
  if (!fits(40)) {
    cut_ = true;
    return *this;
  }
  comma();
  plain(value);
  return *this;
}

std::string_view JsonLine::finish() {
  if (cut_) text_.append(first_ ? "\"cut\":true" : ",\"cut\":true");
  text_.append("}\n");
  return text_.view();
}

}  // namespace hosa
