#include "tools/hosa/csv.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <cstdlib>
#include <cstring>

#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

bool ends_in_gz(std::string_view path) {
  return path.size() > 3 && slice(path, path.size() - 3) == ".gz";
}

// zcat with the opened file as its standard input: the name is never seen by a shell.
Result<pid_t> start_zcat(Fd& file) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return errno_error("pipe for", "zcat");
  Fd reading(ends[0]), writing(ends[1]);
  const pid_t child = ::fork();
  if (child < 0) return errno_error("fork for", "zcat");
  if (child == 0) {
    if (::dup2(file.get(), STDIN_FILENO) >= 0 && ::dup2(writing.get(), STDOUT_FILENO) >= 0)
      ::execlp("zcat", "zcat", static_cast<char*>(nullptr));
    ::_exit(127);
  }
  file = std::move(reading);
  return child;
}

}  // namespace

Result<void> CsvFile::open(const char* path) {
  path_ = path;
  if (path_ == "-") {
    fd_ = Fd(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
    if (!fd_) return errno_error("read", "standard input");
    return {};
  }
  auto file = open_file(AT_FDCWD, path);
  if (!file) return file.error();
  fd_ = std::move(*file);
  if (!ends_in_gz(path_.view())) return {};
  auto child = start_zcat(fd_);
  if (!child) return child.error();
  zcat_ = *child;
  return {};
}

bool CsvFile::fill() {
  if (begin_ > 0) std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  ssize_t got = 0;
  do {
    got = ::read(fd_.get(), buffer_ + end_, sizeof buffer_ - end_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) read_error_ = errno;
  if (got > 0) end_ += static_cast<std::size_t>(got);
  return got > 0;
}

std::optional<std::string_view> CsvFile::next() {
  too_long_ = false;
  while (true) {
    const void* newline = std::memchr(buffer_ + begin_, '\n', end_ - begin_);
    const bool full = !newline && end_ - begin_ == sizeof buffer_;
    if (full) {
      too_long_ = true;
      begin_ = end_ = 0;
    }
    if (!newline && !at_end_) {
      if (!fill()) at_end_ = true;
      continue;
    }
    if (!newline && begin_ == end_ && !too_long_) return std::nullopt;
    const std::size_t stop = newline ? static_cast<std::size_t>(static_cast<const char*>(newline) - buffer_) : end_;
    std::string_view line(buffer_ + begin_, stop - begin_);
    begin_ = newline ? stop + 1 : end_;
    ++line_number_;
    if (too_long_) return std::string_view{};
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty() && line.front() != '#') return line;
  }
}

Result<void> CsvFile::close() {
  fd_.reset();
  int status = 0;
  if (zcat_ > 0) {
    while (::waitpid(zcat_, &status, 0) < 0 && errno == EINTR) {
    }
    zcat_ = -1;
  }
  if (read_error_ != 0) return make_error(read_error_, "read", path_.view());
  if (status != 0 && at_end_) return make_error(0, "zcat could not read", path_.view());
  return {};
}

std::string_view csv_text(std::string_view cell) {
  cell = trim(cell);
  if (cell.size() >= 2 && cell.front() == '"' && cell.back() == '"') cell = trim(slice(cell, 1, cell.size() - 2));
  return cell;
}

std::optional<double> csv_number(std::string_view cell) {
  cell = csv_text(cell);
  char text[64];
  if (cell.empty() || cell.size() >= sizeof text) return std::nullopt;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    const char c = cell[i];
    if (!((c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.' || c == 'e' || c == 'E')) return std::nullopt;
    text[i] = c;
  }
  text[cell.size()] = 0;
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end != text + cell.size() || !__builtin_isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace hosa
