#include "proprioception/directory.h"

#include <sys/syscall.h>
#include <unistd.h>

namespace hosa {

namespace {
// struct linux_dirent64 (include/linux/dirent.h): u64 ino, s64 offset, u16 record length, u8 type, name.
constexpr std::size_t kLengthAt = 16, kTypeAt = 18, kNameAt = 19;
}  // namespace

DirectoryReader::DirectoryReader(int directory) : directory_(directory) {
  if (::lseek(directory, 0, SEEK_SET) < 0) failed_ = errno;
}

bool DirectoryReader::refill() {
  long got = 0;
  do {
    got = ::syscall(SYS_getdents64, directory_, buffer_, sizeof buffer_);
  } while (got < 0 && errno == EINTR);
  if (got < 0) failed_ = errno;
  at_ = 0;
  size_ = got > 0 ? static_cast<std::size_t>(got) : 0;
  return size_ > 0;
}

std::optional<DirectoryEntry> DirectoryReader::next() {
  while (failed_ == 0) {
    if (at_ >= size_ && !refill()) return std::nullopt;
    uint16_t length = 0;
    if (size_ - at_ <= kNameAt) return std::nullopt;
    std::memcpy(&length, buffer_ + at_ + kLengthAt, sizeof length);
    if (length <= kNameAt || length > size_ - at_) return std::nullopt;
    DirectoryEntry entry;
    const char* name = buffer_ + at_ + kNameAt;
    entry.name = {name, ::strnlen(name, length - kNameAt)};
    std::memcpy(&entry.inode, buffer_ + at_, sizeof entry.inode);
    entry.type = static_cast<unsigned char>(buffer_[at_ + kTypeAt]);
    at_ += length;
    if (entry.name != "." && entry.name != "..") return entry;
  }
  return std::nullopt;
}

}  // namespace hosa
