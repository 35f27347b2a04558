// LimitWatch: tells at once when somebody writes into a file in which one of our limits stands, or takes a controller
// away above it (inotify). `systemctl daemon-reload` does both within a tenth of a second, and one look a second left a
// fork storm without cpu.weight for up to 1.2 s (6.1, one CPU: a bystander's p99 3.8-4.0 x healthy). Our own writes are
// told, too. Where the kernel has no inotify nothing is told, and the look once a second (limit.h) is what there is.
#pragma once
#include <array>
#include <span>
#include <string_view>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

class LimitWatch {
 public:
  Result<void> open();
  int fd() const { return inotify_.get(); }

  // The files of a cgroup, and cgroup.subtree_control of every cgroup above it; path: below the v2 root, "/a/b". What
  // cannot be watched (no such file, more than kMost) is left out.
  void add(const Fd& cgroup, std::string_view path, std::span<const char* const> files);
  void clear();  // nobody is held any more
  bool take();   // whether something was written since the last time

  std::size_t watched() const { return count_; }

 private:
  static constexpr std::size_t kMost = 128;
  void add_file(const char* path);

  Fd inotify_;
  std::array<int, kMost> watches_{};
  std::size_t count_ = 0;
};

}  // namespace hosa
