#include "proprioception/kernel_text.h"

#include <unistd.h>

#include "loader/sys/text.h"
#include "proprioception/turn.h"

namespace hosa {

std::string_view whole_lines(std::string_view text, std::size_t capacity) {
  if (text.size() < capacity) return text;
  const std::size_t last = text.rfind('\n');
  return last == std::string_view::npos ? std::string_view{} : slice(text, 0, last + 1);
}

KernelText KernelText::open(const Fd& root, const char* path) {
  KernelText text;
  if (auto fd = open_file(root.get(), path)) text.fd_ = std::move(*fd);
  return text;
}

std::optional<std::string_view> KernelText::read(std::span<char> buffer) const {
  if (!fd_) return std::nullopt;
  let_others_run();  // netstat alone is 1.5 ms on such a board, vmstat and meminfo half a millisecond
  const auto text = read_at_start(fd_.get(), buffer);
  if (!text) return std::nullopt;
  return whole_lines(*text, buffer.size());
}

std::optional<std::string_view> read_text(const Fd& root, const char* path, std::span<char> buffer) {
  const auto text = read_file(root.get(), path, buffer);
  if (!text) return std::nullopt;
  return whole_lines(*text, buffer.size());
}

std::optional<std::string_view> read_word(const Fd& root, const char* path, std::span<char> buffer) {
  const auto text = read_file(root.get(), path, buffer);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  return trim(take_line(rest));
}

bool LineReader::refill() {
  std::memmove(buffer_, buffer_ + from_, to_ - from_);
  to_ -= from_;
  from_ = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd_, buffer_ + to_, sizeof buffer_ - to_);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    ended_ = true;
    return false;
  }
  to_ += static_cast<std::size_t>(got);
  return true;
}

std::optional<std::string_view> LineReader::next() {
  bool overlong = false;
  while (true) {
    const std::string_view rest(buffer_ + from_, to_ - from_);
    const std::size_t end = rest.find('\n');
    if (end != std::string_view::npos) {
      from_ += end + 1;
      if (!overlong) return slice(rest, 0, end);
      overlong = false;
      continue;
    }
    if (rest.size() == sizeof buffer_) {  // no end in sight: forget what was read, skip to the next newline
      overlong = true;
      from_ = to_ = 0;
    }
    if (!ended_ && refill()) continue;
    if (from_ == to_ || overlong) return std::nullopt;
    const std::string_view last(buffer_ + from_, to_ - from_);
    from_ = to_;
    return last;
  }
}

}  // namespace hosa
