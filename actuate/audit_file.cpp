#include "actuate/audit_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "loader/sys/error.h"

namespace hosa {

void AuditFile::open(std::string_view path) {
  path_ = path;
  if (path.empty()) return;
  const std::size_t slash = path.rfind('/');
  if (slash != std::string_view::npos && slash > 0) {
    ::mkdir(FixedString<256>(std::string_view(path.data(), slash)).c_str(), 0750);
  }
  file_ = Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640));
  struct stat status {};
  if (file_ && ::fstat(file_.get(), &status) == 0) {
    bytes_ = static_cast<uint64_t>(status.st_size);
    return;
  }
  FixedString<400> line("hosa-keeper: ");
  line.append(errno_error("open the audit log", path).text().view()).append("\n");
  (void)!::write(STDERR_FILENO, line.c_str(), line.size());
}

void AuditFile::rotate() {
  FixedString<260> older(path_.view());
  older.append(".1");
  if (::rename(path_.c_str(), older.c_str()) != 0) return;
  file_ = Fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0640));
  bytes_ = 0;
}

void AuditFile::drain(AuditRing ring) {
  idle_ = ring.empty();
  while (file_) {
    const std::string_view piece = ring.oldest();
    if (piece.empty()) break;
    const ssize_t put = ::write(file_.get(), piece.data(), piece.size());
    if (put <= 0) return;  // a full disk: what does not fit in the ring meanwhile is counted as lost there
    ring.drop(static_cast<std::size_t>(put));
    bytes_ += static_cast<uint64_t>(put);
  }
  if (bytes_ >= kMostBytes) rotate();  // only here: every line is whole
}

}  // namespace hosa
