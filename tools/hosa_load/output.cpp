#include "tools/hosa_load/output.h"

#include <unistd.h>

namespace hosa {

Output& Output::text(std::string_view text) {
  for (const char letter : text) {
    if (size_ == sizeof buffer_) flush();
    buffer_[size_++] = letter;
  }
  return *this;
}

Output& Output::number(int64_t value) {
  FixedString<24> digits;
  return text(digits.append_number(value).view());
}

Output& Output::hex(uint64_t value, int digits) {
  while (digits-- > 0) text(std::string_view(&"0123456789abcdef"[value >> 4 * digits & 15], 1));
  return *this;
}

Output& Output::quoted(std::string_view words) {
  text("\"");
  for (const char letter : words) {
    const auto code = static_cast<unsigned char>(letter);
    if (code < 0x20 || code >= 0x7f) {
      text("\\u").hex(code, 4);
      continue;
    }
    if (letter == '"' || letter == '\\') text("\\");
    text(std::string_view(&letter, 1));
  }
  return text("\"");
}

void Output::flush() {
  for (std::size_t at = 0; at < size_;) {
    const ssize_t put = ::write(fd_, buffer_ + at, size_ - at);
    if (put <= 0) break;
    at += static_cast<std::size_t>(put);
  }
  size_ = 0;
}

}  // namespace hosa
