#include "loader/sys/file.h"

#include <unistd.h>

namespace hosa {

Result<Fd> open_file(int directory, const char* path, int flags) {
  Fd fd(::openat(directory, path, flags | O_CLOEXEC, 0600));
  if (!fd) return errno_error("open", path);
  return fd;
}

Result<Fd> open_directory(int directory, const char* path) {
  Fd fd(::openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return errno_error("open directory", path);
  return fd;
}

Result<std::string_view> read_at_start(int fd, std::span<char> buffer) {
  std::size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = ::pread(fd, buffer.data() + used, buffer.size() - used, static_cast<off_t>(used));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno_error("read");
    if (got == 0) break;
    used += static_cast<std::size_t>(got);
  }
  return std::string_view(buffer.data(), used);
}

Result<std::string_view> read_file(int directory, const char* path, std::span<char> buffer) {
  const Fd fd(::openat(directory, path, O_RDONLY | O_CLOEXEC));
  if (!fd) return errno_error("open", path);
  auto text = read_at_start(fd.get(), buffer);
  if (!text) return make_error(text.error().code, "read", path);
  return text;
}

Result<void> write_file(int directory, const char* path, std::string_view value, int flags) {
  const Fd fd(::openat(directory, path, O_WRONLY | O_CLOEXEC | flags));
  if (!fd) return errno_error("open for writing", path);
  const ssize_t put = ::write(fd.get(), value.data(), value.size());
  if (put < 0) return errno_error("write", path);
  if (static_cast<std::size_t>(put) != value.size()) return make_error(EIO, "short write to", path);
  return {};
}

}  // namespace hosa
