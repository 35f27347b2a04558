#include "proprioception/kernel_text.h"

#include <errno.h>
#include <unistd.h>

#include "loader/sys/text.h"
#include "proprioception/turn.h"

namespace hosa {
namespace {

// A seq_file answers with as many whole records as fit a page (of at least 4096 bytes), or with one that is longer
// (fs/seq_file.c), and no record of these files is longer than 1 KiB unless it is the only one: less than this is all
// there is, and the second read, which would answer 0, is left out. It is half of the calls of a calm tick.
constexpr std::size_t kWholeBytes = 3072;

}  // namespace

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
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = ::pread(fd_.get(), buffer.data() + used, buffer.size() - used, static_cast<off_t>(used));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::nullopt;
    used += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < kWholeBytes) break;
  }
  let_others_run();  // parsing it takes as long again
  return whole_lines(std::string_view(buffer.data(), used), buffer.size());
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
