// The journal's file: who may have made it, whether it is of this boot, its blocks, its mapping.
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "actuate/journal.h"
#include "actuate/journal_bytes.h"
#include "loader/sys/file.h"

namespace hosa {

namespace layout = journal_layout;

namespace {

// A directory whose content nobody but us can have made.
Result<Fd> open_own_directory(const char* path) {
  if (::mkdir(path, 0700) != 0 && errno != EEXIST) return errno_error("make directory", path);
  Fd fd(::open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return errno_error("open directory", path);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return errno_error("look at", path);
  if (status.st_uid != ::geteuid() || (status.st_mode & 022) != 0) return make_error(EPERM, "trust directory", path);
  return fd;
}

// Blocks are taken now: a store into a hole of a full tmpfs would be SIGBUS. File systems that cannot preallocate
// (ramfs has no fallocate) get the zeros written.
Result<void> allocate_blocks(int fd) {
  constexpr off_t kBytes = sizeof(layout::File);
  if (::ftruncate(fd, kBytes) != 0) return errno_error("size journal");
  const int code = ::posix_fallocate(fd, 0, kBytes);
  if (code == 0) return {};
  if (code != EOPNOTSUPP && code != EINVAL && code != ENOSYS) return make_error(code, "allocate journal");
  static constexpr char kZeros[4096] = {};
  for (off_t at = 0; at < kBytes;) {
    const std::size_t count =
        static_cast<std::size_t>(kBytes - at) < sizeof kZeros ? static_cast<std::size_t>(kBytes - at) : sizeof kZeros;
    const ssize_t put = ::pwrite(fd, kZeros, count, at);
    if (put <= 0) return errno_error("fill journal");
    at += put;
  }
  return {};
}

}  // namespace

Journal::Journal(Journal&& other) noexcept
    : fd_(std::move(other.fd_)),
      file_(other.file_),
      keeper_side_(other.keeper_side_),
      dropped_because_(other.dropped_because_),
      directory_(other.directory_) {
  other.file_ = nullptr;
}

Journal::~Journal() {
  if (file_ != nullptr) ::munmap(file_, sizeof(layout::File));
}

Result<Journal> Journal::open(const char* directory, std::string_view boot_id) {
  auto home = open_own_directory(directory);
  if (!home) return home.error();
  Fd fd(::openat(home->get(), "journal", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return errno_error("open journal in", directory);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return errno_error("lock journal in", directory);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return errno_error("look at journal in", directory);
  if (!S_ISREG(status.st_mode) || status.st_uid != ::geteuid()) return make_error(EPERM, "trust journal in", directory);
  const bool fresh = status.st_size != static_cast<off_t>(sizeof(layout::File));
  auto made = map(std::move(fd), boot_id, fresh);
  if (!made) return make_error(made.error().code, made.error().step, directory);
  if (fresh && status.st_size != 0) made->dropped_because_ = "it has another size";
  made->directory_ = directory;
  return made;
}

Result<Journal> Journal::in_memory(std::string_view boot_id) {
  Fd fd(static_cast<int>(::syscall(SYS_memfd_create, "hosa-journal", 1U /* MFD_CLOEXEC */)));
  if (!fd) return errno_error("make journal in memory");
  return map(std::move(fd), boot_id, true);
}

Result<Journal> Journal::open_first(std::span<const char* const> directories, std::string_view boot_id) {
  for (const char* directory : directories) {
    auto journal = open(directory, boot_id);
    if (journal || journal.error().code == EAGAIN) return journal;
  }
  return in_memory(boot_id);
}

Result<Journal> Journal::map(Fd fd, std::string_view boot_id, bool fresh) {
  if (boot_id.size() >= sizeof(layout::Header::boot_id)) return make_error(0, "boot id is too long");
  if (auto allocated = allocate_blocks(fd.get()); !allocated) return allocated.error();
  void* at = ::mmap(nullptr, sizeof(layout::File), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd.get(), 0);
  if (at == MAP_FAILED) return errno_error("map journal");
  Journal journal;
  journal.fd_ = std::move(fd);
  journal.file_ = static_cast<layout::File*>(at);
  const char* objection = fresh ? "" : journal.judge_header(boot_id);
  if (fresh || objection[0] != 0) journal.initialise(boot_id);
  journal.dropped_because_ = objection;
  return journal;
}

// "" when the file is ours to read.
const char* Journal::judge_header(std::string_view boot_id) const {
  const layout::Header& h = file_->header;
  if (h.magic != layout::kMagic) return "it is no journal";
  if (h.version != layout::kVersion || h.file_bytes != sizeof(layout::File)) return "it has another version";
  if (h.checksum != layout::sum_of(h)) return "its header is damaged";
  const auto boot = layout::get_text(h.boot_id);
  if (!boot || *boot != boot_id) return "it is from another boot";
  return "";
}

void Journal::initialise(std::string_view boot_id) {
  layout::Header& h = file_->header;
  __atomic_store_n(&h.magic, 0, __ATOMIC_SEQ_CST);
  std::memset(static_cast<void*>(file_), 0, sizeof *file_);
  h.version = layout::kVersion;
  h.file_bytes = sizeof(layout::File);
  layout::put_text(h.boot_id, boot_id);
  h.magic = layout::kMagic;
  const uint64_t sum = layout::sum_of(h);
  h.magic = 0;
  h.checksum = sum;
  __atomic_store_n(&h.magic, layout::kMagic, __ATOMIC_SEQ_CST);
}

}  // namespace hosa
