// Reading a table of numbers: plain CSV, or gzip through the user's own zcat. What is read is hostile: a line that is
// too long, a cell that is no plain decimal number, a row with too few cells are told apart from good ones, never
// guessed.
#pragma once
#include <sys/types.h>

#include <optional>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

class CsvFile {
 public:
  static constexpr std::size_t kLineBytes = 64 * 1024;  // 1,000 cells of 64 characters

  // `-` is standard input; a name that ends in .gz is read through zcat.
  Result<void> open(const char* path);
  // The next line without its end, valid until the next call; nothing at the end of the file. Lines that begin with #
  // are passed over. A line longer than kLineBytes comes empty and `too_long` says so.
  std::optional<std::string_view> next();
  std::size_t line_number() const { return line_number_; }
  bool too_long() const { return too_long_; }
  // After the last line: whether reading and zcat ended well.
  Result<void> close();

 private:
  bool fill();

  Fd fd_;
  pid_t zcat_ = -1;
  FixedString<256> path_;
  int read_error_ = 0;
  std::size_t line_number_ = 0, begin_ = 0, end_ = 0;
  bool too_long_ = false, at_end_ = false;
  char buffer_[kLineBytes];
};

// A cell without the blanks and the one pair of quotes around it.
std::string_view csv_text(std::string_view cell);
// A plain decimal number ("-1.5e3") that is finite; the whole cell must be the number, blanks and quotes around it
// apart.
std::optional<double> csv_number(std::string_view cell);

}  // namespace hosa
