// Two ways to read a text of the kernel without allocating: KernelText keeps the file open and reads it whole (what a
// tick needs), LineReader goes through a text of any length line by line (mountinfo, locks, status).
#pragma once
#include <optional>
#include <span>
#include <string_view>

#include "loader/sys/fd.h"
#include "loader/sys/file.h"
#include "proprioception/capacity.h"

namespace hosa {

class KernelText {
 public:
  KernelText() = default;
  // Absent files and refused permissions are no error: the text is empty, present() is false.
  static KernelText open(const Fd& root, const char* path);
  bool present() const { return static_cast<bool>(fd_); }
  // The whole text; if it did not fit, without its last, cut line. Nothing when absent or unreadable (5.10 with psi=0
  // shows pressure files whose read answers EOPNOTSUPP).
  std::optional<std::string_view> read(std::span<char> buffer) const;

 private:
  Fd fd_;
};

class LineReader {
 public:
  explicit LineReader(int fd) : fd_(fd) {}
  // The next line without its newline; a line longer than the buffer is left out. Nothing at the end.
  std::optional<std::string_view> next();

 private:
  bool refill();
  int fd_;
  std::size_t from_ = 0, to_ = 0;
  bool ended_ = false;
  char buffer_[4096];
};

// The whole file once, without keeping it open; cut lines are dropped as above.
std::optional<std::string_view> read_text(const Fd& root, const char* path, std::span<char> buffer);
// The same for files of a single line: without the newline, or whatever fits.
std::optional<std::string_view> read_word(const Fd& root, const char* path, std::span<char> buffer);

// At most `limit` bytes from the front, cut after the last whole line when the text may go on behind it.
std::string_view whole_lines(std::string_view text, std::size_t capacity);

}  // namespace hosa
