#include "actuate/saved_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "loader/sys/fd.h"
#include "loader/sys/file.h"

namespace hosa {
namespace {

Result<void> write_all(int fd, std::span<const unsigned char> bytes, const char* path) {
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t put = ::write(fd, bytes.data() + at, bytes.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return errno_error("write", path);
    at += static_cast<std::size_t>(put);
  }
  return ::fsync(fd) == 0 ? Result<void>{} : errno_error("sync", path);
}

FixedString<256> directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : FixedString<256>(std::string_view(path.data(), slash));
}

[[noreturn]] void write_as_child(SavedPages& pages) {
  ::prctl(PR_SET_NAME, "hosa-writer");
  // The journal's lock must not live on in here: the next agent would wait for this disk.
  for (int fd = STDERR_FILENO + 1; fd < 64; ++fd) ::close(fd);
  (void)::setpriority(PRIO_PROCESS, 0, 10);
  (void)write_file(AT_FDCWD, "/proc/self/oom_score_adj", "0");
  const std::size_t size = pages.size < SavedPages::kBytes ? pages.size : SavedPages::kBytes;
  pages.path[sizeof pages.path - 1] = 0;
  const auto written = write_whole(pages.path, {pages.bytes, size});
  if (!written) {
    pages.error = written.error().code;
    FixedString<320> line("hosa-keeper: ");
    line.append(written.error().text().view()).append("\n");
    if (pages.told++ == 0) (void)!::write(STDERR_FILENO, line.c_str(), line.size());
  }
  pages.set(written ? SavedState::done : SavedState::failed);
  ::_exit(written ? 0 : 1);
}

}  // namespace

Result<void> write_whole(const char* path, std::span<const unsigned char> bytes) {
  FixedString<256> beside(path);
  beside.append(".new");
  if (beside.cut()) return make_error(ENAMETOOLONG, "write", path);
  // What a writer that was killed has left; O_EXCL then makes sure that nobody else's file is written to.
  (void)::unlink(beside.c_str());
  Fd file(::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return errno_error("make", beside.view());
  auto written = write_all(file.get(), bytes, beside.c_str());
  if (written && ::rename(beside.c_str(), path) != 0) written = errno_error("rename to", path);
  if (!written) {
    (void)::unlink(beside.c_str());
    return written;
  }
  const auto directory = open_directory(AT_FDCWD, directory_of(path).c_str());
  if (!directory || ::fsync(directory->get()) != 0) return errno_error("sync the directory of", path);
  return {};
}

SavedPages* SavedPages::map() {
  void* pages = ::mmap(nullptr, sizeof(SavedPages), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<SavedPages*>(pages);
}

Result<pid_t> start_writer(SavedPages& pages) {
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("fork the writer");
  if (pid == 0) write_as_child(pages);
  return pid;
}

}  // namespace hosa
