#include "actuate/journal.h"

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "loader/sys/file.h"

namespace hosa {

namespace layout = journal_layout;

namespace {

// FNV-1a, 64 bit: each step is a bijection of the state, so a single changed byte always changes the sum.
uint64_t checksum_of(const void* start, std::size_t count, uint64_t sum = 0xcbf29ce484222325) {
  const unsigned char* bytes = static_cast<const unsigned char*>(start);
  for (std::size_t i = 0; i < count; ++i) sum = (sum ^ bytes[i]) * 0x100000001b3;
  return sum;
}

uint64_t sum_of(const layout::Header& h) {
  return checksum_of(&h, offsetof(layout::Header, checksum));
}
uint64_t sum_of(const layout::Entry& e) {
  return checksum_of(&e, offsetof(layout::Entry, checksum));
}
uint64_t sum_of(const layout::Value& v) {
  return checksum_of(&v, offsetof(layout::Value, checksum));
}
uint64_t sum_of(const layout::Path& p) {
  return checksum_of(&p.cgroup_id, sizeof p - offsetof(layout::Path, cgroup_id));
}

template <std::size_t N>
void put_text(char (&to)[N], std::string_view text) {
  std::memset(to, 0, N);
  if (!text.empty()) std::memcpy(to, text.data(), text.size());  // the caller has checked text.size() < N
}

// Nothing when the text does not end inside its field.
template <std::size_t N>
std::optional<std::string_view> get_text(const char (&from)[N]) {
  const void* end = std::memchr(from, 0, N);
  if (end == nullptr) return std::nullopt;
  return std::string_view(from, static_cast<std::size_t>(static_cast<const char*>(end) - from));
}

bool in_range(int index) {
  return index >= 0 && index < layout::kEntries;
}

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

const char* file_name(CgroupFile file) {
  switch (file) {
    case CgroupFile::none: return "";
    case CgroupFile::memory_high: return "memory.high";
    case CgroupFile::memory_swap_max: return "memory.swap.max";
    case CgroupFile::pids_max: return "pids.max";
    case CgroupFile::cpu_weight: return "cpu.weight";
    case CgroupFile::cpu_max: return "cpu.max";
    case CgroupFile::io_weight: return "io.weight";
    case CgroupFile::io_max: return "io.max";
    case CgroupFile::cgroup_freeze: return "cgroup.freeze";
    case CgroupFile::subtree_control: return "cgroup.subtree_control";
  }
  return "";
}

const char* entry_kind_name(EntryKind kind) {
  switch (kind) {
    case EntryKind::limit_file: return "limit";
    case EntryKind::room: return "room";
    case EntryKind::thread_policy: return "thread policy";
    case EntryKind::oom_score_adj: return "oom_score_adj";
    case EntryKind::stopped: return "stopped";
    case EntryKind::controller: return "controller";
    case EntryKind::freeze_in_place: return "freeze";
    case EntryKind::autogroup: return "autogroup";
    case EntryKind::khugepaged: return "khugepaged";
  }
  return "";
}

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
  if (h.checksum != sum_of(h)) return "its header is damaged";
  const auto boot = get_text(h.boot_id);
  if (!boot || *boot != boot_id) return "it is from another boot";
  return "";
}

void Journal::initialise(std::string_view boot_id) {
  layout::Header& h = file_->header;
  __atomic_store_n(&h.magic, 0, __ATOMIC_SEQ_CST);
  std::memset(static_cast<void*>(file_), 0, sizeof *file_);
  h.version = layout::kVersion;
  h.file_bytes = sizeof(layout::File);
  put_text(h.boot_id, boot_id);
  h.magic = layout::kMagic;
  const uint64_t sum = sum_of(h);
  h.magic = 0;
  h.checksum = sum;
  __atomic_store_n(&h.magic, layout::kMagic, __ATOMIC_SEQ_CST);
}

int Journal::find_free() const {
  const int from = keeper_side_ ? layout::kAgentEntries : 0;
  const int to = keeper_side_ ? layout::kEntries : layout::kAgentEntries;
  for (int i = from; i < to; ++i) {
    if (__atomic_load_n(&file_->states[i], __ATOMIC_ACQUIRE) == static_cast<uint32_t>(EntryState::free)) return i;
  }
  return -1;
}

// The slot that holds this path already, or one of this side's that no entry refers to.
Result<int> Journal::place_path(std::string_view path, uint64_t cgroup_id) {
  if (path.size() >= layout::kPathBytes) return make_error(E2BIG, "journal cgroup", path);
  bool used[layout::kPaths] = {};
  for (int i = 0; i < layout::kEntries; ++i) {
    if (state(i) == EntryState::free) continue;
    const int at = file_->entries[i].path_index;
    if (at >= 0 && at < layout::kPaths) used[at] = true;
  }
  const int from = keeper_side_ ? layout::kAgentPaths : 0;
  const int to = keeper_side_ ? layout::kPaths : layout::kAgentPaths;
  int vacant = -1;
  for (int i = from; i < to; ++i) {
    const layout::Path& slot = file_->paths[i];
    const auto text = get_text(slot.text);
    if (used[i] && slot.cgroup_id == cgroup_id && text && *text == path) return i;
    if (!used[i] && vacant < 0) vacant = i;
  }
  if (vacant < 0) return make_error(ENOSPC, "journal cgroup", path);
  layout::Path& slot = file_->paths[vacant];
  slot.cgroup_id = cgroup_id;
  put_text(slot.text, path);
  slot.checksum = sum_of(slot);
  return vacant;
}

Result<int> Journal::remember(const JournalEntry& entry) {
  if (entry.old_value.cut() || entry.ours.cut() || entry.path.cut())
    return make_error(E2BIG, "journal", entry.path.view());
  const int index = find_free();
  if (index < 0) return make_error(ENOSPC, "journal", entry.path.view());
  int path_index = -1;
  if (!entry.path.empty()) {
    auto placed = place_path(entry.path.view(), entry.cgroup_id);
    if (!placed) return placed.error();
    path_index = *placed;
  }
  layout::Entry& to = file_->entries[index];
  std::memset(static_cast<void*>(&to), 0, sizeof to);
  to.cgroup_id = entry.cgroup_id;
  to.start_ticks = entry.start_ticks;
  to.path_index = path_index;
  to.path_checksum = path_index < 0 ? 0 : file_->paths[path_index].checksum;
  to.pid = entry.pid;
  to.tid = entry.tid;
  to.kind = static_cast<uint8_t>(entry.kind);
  to.file = static_cast<uint8_t>(entry.file);
  put_text(to.old_value, entry.old_value.view());
  to.checksum = sum_of(to);
  put_text(to.ours[0].text, entry.ours.view());
  to.ours[0].sequence = 1;
  to.ours[0].checksum = sum_of(to.ours[0]);
  to.deadline_ns = entry.deadline_ns;
  // The release store is the publication: everything above is in the mapping before it, in program order for a
  // SIGKILL, in memory order for the keeper on another CPU.
  __atomic_store_n(&file_->states[index], static_cast<uint32_t>(EntryState::armed), __ATOMIC_SEQ_CST);
  return index;
}

Result<void> Journal::set_ours(int index, std::string_view next) {
  if (state(index) != EntryState::armed) return make_error(ESTALE, "rewrite journal entry");
  if (next.size() >= layout::kValueBytes) return make_error(E2BIG, "journal value", next);
  layout::Value(&ours)[2] = file_->entries[index].ours;
  const bool first_is_newer = ours[0].checksum == sum_of(ours[0]) &&
                              (ours[1].checksum != sum_of(ours[1]) || ours[0].sequence > ours[1].sequence);
  layout::Value& to = ours[first_is_newer ? 1 : 0];
  const uint64_t sequence = ours[first_is_newer ? 0 : 1].sequence + 1;
  __atomic_store_n(&to.checksum, 0, __ATOMIC_SEQ_CST);  // from here until the last store this slot counts as empty
  put_text(to.text, next);
  to.sequence = sequence;
  __atomic_store_n(&to.checksum, sum_of(to), __ATOMIC_SEQ_CST);
  return {};
}

void Journal::renew(int index, uint64_t deadline_ns) {
  if (in_range(index)) __atomic_store_n(&file_->entries[index].deadline_ns, deadline_ns, __ATOMIC_RELEASE);
}

void Journal::forget(int index) {
  if (in_range(index))
    __atomic_store_n(&file_->states[index], static_cast<uint32_t>(EntryState::free), __ATOMIC_SEQ_CST);
}

void Journal::mark_returned(int index) {
  uint32_t armed = static_cast<uint32_t>(EntryState::armed);
  if (!in_range(index)) return;
  // Compare: the agent may have forgotten the entry meanwhile.
  __atomic_compare_exchange_n(&file_->states[index], &armed, static_cast<uint32_t>(EntryState::returned), false,
                              __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

EntryState Journal::state(int index) const {
  if (!in_range(index)) return EntryState::free;
  const uint32_t word = __atomic_load_n(&file_->states[index], __ATOMIC_ACQUIRE);
  if (word == static_cast<uint32_t>(EntryState::armed)) return EntryState::armed;
  if (word == static_cast<uint32_t>(EntryState::returned)) return EntryState::returned;
  return EntryState::free;
}

std::optional<JournalEntry> Journal::read(int index) const {
  const EntryState before = state(index);
  if (before == EntryState::free) return std::nullopt;
  layout::Entry copy;
  std::memcpy(static_cast<void*>(&copy), &file_->entries[index], sizeof copy);
  if (copy.checksum != sum_of(copy)) return std::nullopt;
  if (copy.kind == 0 || copy.kind > kLastEntryKind || copy.file > kLastCgroupFile) return std::nullopt;
  JournalEntry entry;
  if (copy.path_index >= 0) {
    if (copy.path_index >= layout::kPaths) return std::nullopt;
    layout::Path path;
    std::memcpy(static_cast<void*>(&path), &file_->paths[copy.path_index], sizeof path);
    const auto text = get_text(path.text);
    if (!text || path.checksum != sum_of(path) || path.checksum != copy.path_checksum) return std::nullopt;
    entry.path = *text;
  }
  const auto old_value = get_text(copy.old_value);
  if (!old_value) return std::nullopt;
  bool valid[2];
  for (int i = 0; i < 2; ++i)
    valid[i] = copy.ours[i].checksum == sum_of(copy.ours[i]) && get_text(copy.ours[i].text).has_value();
  if (!valid[0] && !valid[1]) return std::nullopt;
  const int newest = valid[0] && (!valid[1] || copy.ours[0].sequence > copy.ours[1].sequence) ? 0 : 1;
  entry.ours = *get_text(copy.ours[newest].text);
  if (valid[1 - newest]) entry.ours_before = *get_text(copy.ours[1 - newest].text);
  entry.kind = static_cast<EntryKind>(copy.kind);
  entry.file = static_cast<CgroupFile>(copy.file);
  entry.state = before;
  entry.cgroup_id = copy.cgroup_id;
  entry.pid = copy.pid;
  entry.tid = copy.tid;
  entry.start_ticks = copy.start_ticks;
  entry.old_value = *old_value;
  entry.deadline_ns = copy.deadline_ns;
  if (state(index) == EntryState::free) return std::nullopt;  // forgotten while we copied
  return entry;
}

int Journal::held_count() const {
  int count = 0;
  for (int i = 0; i < layout::kEntries; ++i) count += state(i) != EntryState::free ? 1 : 0;
  return count;
}

int Journal::find(EntryKind kind, CgroupFile file, uint64_t cgroup_id) const {
  for (int i = 0; i < layout::kEntries; ++i) {
    const layout::Entry& e = file_->entries[i];
    if (state(i) != EntryState::free && e.kind == static_cast<uint8_t>(kind) && e.file == static_cast<uint8_t>(file) &&
        e.cgroup_id == cgroup_id)
      return i;
  }
  return -1;
}

int Journal::find_process(EntryKind kind, int pid, int tid, uint64_t start_ticks) const {
  for (int i = 0; i < layout::kEntries; ++i) {
    const layout::Entry& e = file_->entries[i];
    if (state(i) != EntryState::free && e.kind == static_cast<uint8_t>(kind) && e.pid == pid && e.tid == tid &&
        e.start_ticks == start_ticks)
      return i;
  }
  return -1;
}

bool Journal::is_of(int index, EntryKind kind, int tid) const {
  if (state(index) == EntryState::free) return false;
  const layout::Entry& e = file_->entries[index];
  return e.kind == static_cast<uint8_t>(kind) && e.tid == tid;
}

int Journal::forget_process(int pid, uint64_t start_ticks) {
  int count = 0;
  for (int i = 0; i < layout::kEntries; ++i) {
    const layout::Entry& e = file_->entries[i];
    if (state(i) == EntryState::free || e.pid != pid || e.start_ticks != start_ticks) continue;
    forget(i);
    ++count;
  }
  return count;
}

std::size_t Journal::list_threads(EntryKind kind, int pid, uint64_t start_ticks, std::span<int> tids) const {
  std::size_t count = 0;
  for (int i = 0; i < layout::kEntries && count < tids.size(); ++i) {
    const layout::Entry& e = file_->entries[i];
    if (state(i) != EntryState::free && e.kind == static_cast<uint8_t>(kind) && e.pid == pid &&
        e.start_ticks == start_ticks)
      tids[count++] = e.tid;
  }
  return count;
}

int Journal::drop_damaged() {
  int count = 0;
  for (int i = 0; i < layout::kEntries; ++i) {
    if (__atomic_load_n(&file_->states[i], __ATOMIC_ACQUIRE) == static_cast<uint32_t>(EntryState::free) || read(i))
      continue;
    forget(i);
    ++count;
  }
  return count;
}

void Journal::set_agent(int pid, uint64_t start_ticks) {
  file_->header.agent_pid = pid;
  file_->header.agent_start_ticks = start_ticks;
  set_keeper(0);
  set_acting(false);
  set_watching(false);
  acknowledge_give_back();
}
int Journal::agent_pid() const {
  return file_->header.agent_pid;
}
uint64_t Journal::agent_start_ticks() const {
  return file_->header.agent_start_ticks;
}
void Journal::set_keeper(int pid) {
  __atomic_store_n(&file_->header.keeper_pid, pid, __ATOMIC_SEQ_CST);
}
int Journal::keeper_pid() const {
  return __atomic_load_n(&file_->header.keeper_pid, __ATOMIC_ACQUIRE);
}
void Journal::become_keeper() {
  keeper_side_ = true;
}

void Journal::stamp(uint64_t monotonic_ns) {
  __atomic_store_n(&file_->header.stamp_ns, monotonic_ns, __ATOMIC_RELEASE);
}
uint64_t Journal::stamp_ns() const {
  return __atomic_load_n(&file_->header.stamp_ns, __ATOMIC_ACQUIRE);
}
// acting and watching are a Dekker pair (keeper.h): each side stores its own word and then reads the other's.
void Journal::set_acting(bool acting) {
  __atomic_store_n(&file_->header.acting, acting ? 1U : 0U, __ATOMIC_SEQ_CST);
}
bool Journal::acting() const {
  return __atomic_load_n(&file_->header.acting, __ATOMIC_SEQ_CST) != 0;
}
void Journal::set_watching(bool on) {
  __atomic_store_n(&file_->header.watching, on ? 1U : 0U, __ATOMIC_SEQ_CST);
}
bool Journal::watching() const {
  return __atomic_load_n(&file_->header.watching, __ATOMIC_SEQ_CST) != 0;
}
void Journal::count_give_back() {
  __atomic_fetch_add(&file_->header.gave_back, 1, __ATOMIC_SEQ_CST);
}
bool Journal::gave_back() const {
  return __atomic_load_n(&file_->header.gave_back, __ATOMIC_ACQUIRE) !=
         __atomic_load_n(&file_->header.acknowledged, __ATOMIC_RELAXED);
}
void Journal::acknowledge_give_back() {
  const uint32_t count = __atomic_load_n(&file_->header.gave_back, __ATOMIC_ACQUIRE);
  __atomic_store_n(&file_->header.acknowledged, count, __ATOMIC_RELEASE);
}

}  // namespace hosa
