#include "tools/hosa/baseline_store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr std::string_view kLasting = "/var/lib/hosa";
constexpr double kAgainS = 60;  // after a write that did not come about, at the earliest

uint64_t wall_s() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec > 0 ? static_cast<uint64_t>(now.tv_sec) : 0;
}

FixedString<240> in_directory(std::string_view directory) {
  return FixedString<240>(directory).append("/baseline");
}

// The keeper's working directory is the root.
FixedString<240> from_root(std::string_view path) {
  char here[200];
  // Not getcwd: the C library's would bring its allocator along.
  const ssize_t size = path.empty() || path.front() == '/' ? 0 : ::readlink("/proc/self/cwd", here, sizeof here);
  if (size <= 0 || size == static_cast<ssize_t>(sizeof here)) return path;
  return FixedString<240>(std::string_view(here, static_cast<std::size_t>(size))).append("/").append(path);
}

}  // namespace

// Whether a baseline can be written there; the directory is made if its parent allows it.
bool BaselineStore::try_place(std::string_view directory) {
  const FixedString<240> name(directory);
  if (::mkdir(name.c_str(), 0700) != 0 && errno != EEXIST) return false;
  return ::access(name.c_str(), W_OK) == 0;
}

void BaselineStore::open(const Options& options, std::string_view run_directory) {
  named_ = !options.baseline.empty();
  if (options.baseline == "none") return;
  pages_ = SavedPages::map();
  if (named_) least_s_ = 0;
  if (named_) {
    path_ = from_root(options.baseline.view());
  } else if (!options.state.empty()) {
    path_ = from_root(in_directory(options.state.view()).view());
  } else {
    other_ = in_directory(kLasting);
    if (try_place(kLasting)) {
      path_ = other_;
      other_.clear();
    } else {
      told_ = "what is learned is lost at the next boot: no baseline can be written to ";
      told_.append(kLasting).append(": ").append(errno_name(errno).message);
      if (!run_directory.empty() && try_place(run_directory)) path_ = in_directory(run_directory);
    }
  }
}

// Ours alone to have written: a regular file, of root or of our user, that nobody else may write to.
Result<void> BaselineStore::read(std::string_view path) {
  const FixedString<240> name(path);
  auto fd = open_file(AT_FDCWD, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) return fd.error();
  struct stat status {};
  if (::fstat(fd->get(), &status) != 0) return errno_error("look at", path);
  const bool ours = status.st_uid == ::geteuid() || status.st_uid == 0;
  if (!S_ISREG(status.st_mode) || !ours || (status.st_mode & 022) != 0)
    return make_error(EPERM, "trust a file that others may write to:", path);
  static unsigned char bytes[SavedPages::kBytes + 1];
  std::size_t size = 0;
  for (ssize_t got = 1; got > 0 && size < sizeof bytes; size += static_cast<std::size_t>(got)) {
    got = ::pread(fd->get(), bytes + size, sizeof bytes - size, static_cast<off_t>(size));
    if (got < 0) return errno_error("read", path);
  }
  if (auto decoded = decode_baseline(Bytes(bytes, size), saved_); !decoded) return decoded;
  return same_board(saved_.board, board_);
}

FixedString<256> BaselineStore::recall(detect::Detector& detector, KnownSizes& sizes, const BoardIdentity& board,
                                       double warmup_s) {
  board_ = board;
  FixedString<256> text = told_;
  told_.clear();
  if (path_.empty() && other_.empty()) return text;
  std::string_view path = path_.view();
  auto found = read(path);
  if (!found && found.error().code == ENOENT && !other_.empty()) found = read(path = other_.view());
  if (!found) {
    if (found.error().code == ENOENT) return text;
    FixedString<256> aside(path);
    aside.append(".refused");
    const bool set_aside = found.error().code == 0 && ::rename(FixedString<240>(path).c_str(), aside.c_str()) == 0;
    text = "the baseline was refused: ";
    text.append(found.error().text().view()).append(" (").append(set_aside ? aside.view() : path).append(")");
    return text;
  }
  sizes.restore({saved_.sizes.data(), saved_.sizes.size()});
  const std::size_t n = detector.dimensions().size(), fresh = place_dimensions(saved_, detector.dimensions(), place_);
  text = "the baseline of ";
  text.append(path).append(": ").append_unsigned(n - fresh).append(" of ").append_unsigned(n);
  text.append(" dimensions are known");
  if (2 * fresh > n) return text.append(", too few: all is learned anew");
  if (fresh == 0 && merge(detector)) return text;
  merging_ = fresh > 0;
  if (!merging_) return text.append(", but it is no covariance: all is learned anew");
  detector.begin(std::min(warmup_s, kShortWarmupS));
  return text.append(", the others are learned in a minute");
}

bool BaselineStore::merge(detect::Detector& detector) {
  merging_ = false;
  const std::size_t n = detector.dimensions().size();
  detector.save(fresh_);
  for (const bool together : {true, false}) {
    detect::merge_baselines(saved_.learned, fresh_, place_, n, together, merged_);
    if (!detector.restore(merged_)) continue;
    return recalled_ = true;
  }
  return false;
}

bool BaselineStore::write(const detect::Detector& detector, const KnownSizes& sizes, Keeper& keeper) {
  if (pages_->look() == SavedState::asked) return false;
  detector.save(saved_.learned);
  if (saved_.learned.learned_seconds < least_s_) return false;
  saved_.written_s = wall_s();
  saved_.board = board_;
  saved_.dimensions.clear();
  for (const detect::Dimension& dimension : detector.dimensions())
    saved_.dimensions.push_back(describe_dimension(dimension));
  saved_.sizes.clear();
  for (const KnownSize& size : sizes.all()) saved_.sizes.push_back(size);
  const std::size_t size = encode_baseline(saved_, pages_->bytes);
  if (size == 0) return false;
  pages_->size = static_cast<uint32_t>(size);
  std::memcpy(pages_->path, path_.c_str(), path_.size() + 1);
  pages_->set(SavedState::asked);
  if (keeper.ask(make_request(KeeperTask::save, 0, "", 0))) return true;
  pages_->set(SavedState::idle);
  return false;
}

bool BaselineStore::step(detect::Detector& detector, const KnownSizes& sizes, Keeper& keeper, double now_s, bool calm) {
  if (detector.verdict().warming) return false;
  if (merging_) {
    const bool merged = merge(detector);
    told_ = merged ? "the baseline was merged with what is new" : "what is new does not go with the baseline: left";
    return true;
  }
  if (pages_ == nullptr || path_.empty()) return false;
  if (pages_->look() == SavedState::failed && !failure_told_) {
    failure_told_ = true;
    told_ = "the baseline could not be written: ";
    told_.append(path_.view()).append(": ").append(errno_name(pages_->error).message);
    return true;
  }
  if (written_s_ < 0 && recalled_) written_s_ = now_s;
  const bool due = written_s_ < 0 || now_s - written_s_ >= kEveryS;
  if (!calm || !due || now_s - tried_s_ < kAgainS) return false;
  // Who wrote the last one and never ended was killed: it is not waited for.
  if (pages_->look() == SavedState::asked) pages_->set(SavedState::idle);
  tried_s_ = now_s;
  if (write(detector, sizes, keeper)) written_s_ = now_s;
  return false;
}

void BaselineStore::at_end(const detect::Detector& detector, const KnownSizes& sizes, Keeper& keeper, double now_s) {
  if (pages_ == nullptr || path_.empty() || detector.verdict().warming || merging_) return;
  if (!named_ && written_s_ >= 0 && now_s - written_s_ < kAgainS) return;
  (void)write(detector, sizes, keeper);
}

}  // namespace hosa
