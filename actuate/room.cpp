#include "actuate/room.h"

#include <sys/stat.h>

#include "loader/sys/file.h"

namespace hosa {
namespace {

Result<void> write_once(const Fd& fd, std::string_view value, const char* what) {
  if (::pwrite(fd.get(), value.data(), value.size(), 0) < 0) return errno_error(what, kRoomName);
  return {};
}

// One pid per write: cgroup.procs takes no lists (kernel/cgroup/cgroup.c, cgroup_procs_write).
bool move_one(const Fd& procs, int pid) {
  FixedString<16> text;
  text.append_number(pid);
  return ::write(procs.get(), text.c_str(), text.size()) > 0;
}

}  // namespace

Result<Room> Room::open(const Fd& cgroup) {
  Room room;
  auto directory = open_directory(cgroup.get(), kRoomName);
  if (!directory) return directory.error();
  room.directory_ = std::move(*directory);
  auto freeze = open_file(room.directory_.get(), "cgroup.freeze", O_WRONLY);
  if (!freeze) return freeze.error();
  room.freeze_ = std::move(*freeze);
  return room;
}

Result<void> Room::freeze() const {
  return write_once(freeze_, "1", "freeze");
}
Result<void> Room::thaw() const {
  return write_once(freeze_, "0", "thaw");
}

Result<int> make_room(Journal& journal, const CgroupRef& cgroup, uint64_t deadline_ns) {
  const int known = journal.find(EntryKind::room, CgroupFile::none, cgroup.id);
  struct stat status {};
  const bool stands = ::fstatat(cgroup.directory->get(), kRoomName, &status, 0) == 0;
  if (stands && known >= 0) return known;
  if (stands) return make_error(EEXIST, "make a hold room in", cgroup.path);
  JournalEntry entry;
  entry.kind = EntryKind::room;
  entry.cgroup_id = cgroup.id;
  entry.path = cgroup.path;
  entry.deadline_ns = deadline_ns;
  const auto index = known >= 0 ? Result<int>(known) : journal.remember(entry);
  if (!index) return index.error();
  if (::mkdirat(cgroup.directory->get(), kRoomName, 0755) != 0) {
    const Error error = errno_error("make a hold room in", cgroup.path);
    journal.forget(*index);
    return error;
  }
  return *index;
}

Result<int> move_in(const Fd& cgroup, std::span<const int> pids) {
  auto room = open_directory(cgroup.get(), kRoomName);
  if (!room) return room.error();
  auto procs = open_file(room->get(), "cgroup.procs", O_WRONLY);
  if (!procs) return procs.error();
  int moved = 0;
  for (const int pid : pids) {
    if (move_one(*procs, pid))
      ++moved;
    else if (errno != ESRCH && moved == 0)
      return errno_error("move into", kRoomName);
  }
  return moved;
}

Result<void> close_room(const Fd& cgroup) {
  auto room = open_directory(cgroup.get(), kRoomName);
  if (!room) return room.error().code == ENOENT ? Result<void>{} : Result<void>(room.error());
  auto home = open_file(cgroup.get(), "cgroup.procs", O_WRONLY);
  if (!home) return home.error();
  static PidList pids;  // 16 KB, and one thread only
  for (int round = 0; round < 100; ++round) {
    pids.clear();
    const auto listed = read_procs(*room, pids);
    if (!listed && listed.error().code != E2BIG) return listed.error();
    for (const int pid : pids) (void)move_one(*home, pid);
    if (pids.empty() && ::unlinkat(cgroup.get(), kRoomName, AT_REMOVEDIR) == 0) return {};
    if (pids.empty() && errno == ENOENT) return {};
    if (pids.empty()) ::usleep(1000);  // the last member is exiting: its css is still held
  }
  (void)write_file(room->get(), "cgroup.freeze", "0");  // whoever could not be moved must run at least
  return make_error(EBUSY, "empty", kRoomName);
}

}  // namespace hosa
