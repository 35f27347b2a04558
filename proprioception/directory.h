// Names in a directory, by getdents64 into a buffer on the stack: no opendir (it allocates). Used on the path of a tick
// for /proc and the cgroup tree. Names are views that live until the next call of next().
#pragma once
#include <optional>
#include <string_view>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"
#include "proprioception/capacity.h"

namespace hosa {

struct DirectoryEntry {
  std::string_view name;  // NUL-terminated in memory; "." and ".." are never shown
  uint64_t inode = 0;
  unsigned char type = 0;  // DT_DIR, DT_REG, DT_LNK; DT_UNKNOWN where the file system does not say
};

class DirectoryReader {
 public:
  // Reads from the beginning; the descriptor (open_directory) stays the caller's and its offset is moved.
  explicit DirectoryReader(int directory);
  // The next entry; nothing at the end, or when reading failed (then failed() is the errno).
  std::optional<DirectoryEntry> next();
  int failed() const { return failed_; }

 private:
  bool refill();
  int directory_;
  std::size_t at_ = 0, size_ = 0;
  int failed_ = 0;
  alignas(8) char buffer_[kDirectoryBytes];
};

}  // namespace hosa
