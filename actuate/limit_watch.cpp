#include "actuate/limit_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>

#include "loader/sys/fixed.h"

namespace hosa {
namespace {

constexpr std::size_t kDeepest = 32;

}  // namespace

Result<void> LimitWatch::open() {
  inotify_ = Fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!inotify_) return errno_error("inotify");
  return {};
}

void LimitWatch::add_file(const char* path) {
  if (count_ == kMost) return;
  const int watch = ::inotify_add_watch(inotify_.get(), path, IN_MODIFY);
  const auto end = watches_.begin() + static_cast<std::ptrdiff_t>(count_);
  if (watch >= 0 && std::find(watches_.begin(), end, watch) == end) watches_[count_++] = watch;
}

void LimitWatch::add(const Fd& cgroup, std::string_view path, std::span<const char* const> files) {
  if (!inotify_ || !cgroup) return;
  FixedString<32 + 3 * kDeepest> directory("/proc/self/fd/");
  directory.append_number(cgroup.get());
  for (const char* const file : files) {
    FixedString<256> name(directory.view());
    add_file(name.append("/").append(file).c_str());
  }
  const auto above = path == "/" ? 0 : std::count(path.begin(), path.end(), '/');
  for (auto i = above; i > 0 && !directory.cut(); --i) {
    directory.append("/..");
    FixedString<256> name(directory.view());
    add_file(name.append("/cgroup.subtree_control").c_str());
  }
}

void LimitWatch::clear() {
  for (std::size_t i = 0; i < count_; ++i) (void)::inotify_rm_watch(inotify_.get(), watches_[i]);
  if (count_ > 0) (void)take();
  count_ = 0;
}

bool LimitWatch::take() {
  alignas(inotify_event) char events[4096];
  bool written = false;
  for (;;) {
    const ssize_t size = inotify_ ? ::read(inotify_.get(), events, sizeof events) : -1;
    if (size <= 0) return written;
    written = true;  // or the queue ran over: as good
  }
}

}  // namespace hosa
