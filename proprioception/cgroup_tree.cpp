#include "proprioception/cgroup_tree.h"

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>

#include "loader/sys/text.h"
#include "proprioception/directory.h"
#include "proprioception/turn.h"

namespace hosa {

namespace {

// "/" -> ".", "/a/b" -> "a/b": what openat below the root takes.
const char* below_root(const FixedString<kCgroupPathBytes>& path) {
  return path.size() <= 1 ? "." : path.c_str() + 1;
}

bool has_parent_step(std::string_view path) {
  while (!path.empty())
    if (take_until(path, '/') == "..") return true;
  return false;
}

struct Members {
  bool any = false, threaded = false;
};

Members look_at_members(const Fd& cgroup) {
  char buffer[32];
  const auto text = read_file(cgroup.get(), "cgroup.procs", buffer);
  if (!text) return {text.error().code == EOPNOTSUPP, text.error().code == EOPNOTSUPP};
  return {!trim(*text).empty(), false};
}

void add_room(const Fd& cgroup, uint64_t room_id, WalkDetail detail, Cgroup& item) {
  const auto room = open_directory(cgroup.get(), kHoldRoomName.data());
  if (!room) return;
  item.room_id = room_id;
  item.has_processes |= look_at_members(*room).any;
  if (detail == WalkDetail::structure || item.usage.has_memory) return;
  item.own_undroppable_bytes = read_cgroup_usage(*room).undroppable_bytes;
}

// Appends the child to the table unless it is the hold room, does not fit, or lies too deep.
void list_child(const DirectoryEntry& entry, int parent, CgroupTree& tree) {
  Cgroup child;
  const Cgroup& above = tree.items[static_cast<std::size_t>(parent)];
  child.path = above.path;
  if (above.path.size() > 1) child.path.append("/");
  child.path.append(entry.name);
  child.id = entry.inode;
  child.parent = parent;
  child.depth = above.depth + 1;
  const bool fits = !child.path.cut() && child.depth <= kMaxCgroupDepth && tree.items.push_back(child);
  if (!fits) tree.cut = true;
}

bool is_directory(const Fd& parent, const DirectoryEntry& entry) {
  if (entry.type != DT_UNKNOWN) return entry.type == DT_DIR;
  struct stat about {};
  return ::fstatat(parent.get(), entry.name.data(), &about, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(about.st_mode);
}

// Fills in one cgroup and lists its children behind it. False: it has gone.
bool visit(const Fd& root, int index, WalkDetail detail, CgroupTree& tree) {
  Cgroup& item = tree.items[static_cast<std::size_t>(index)];
  const auto directory = open_directory(root.get(), below_root(item.path));
  if (!directory) return false;
  const auto id = cgroup_id(*directory);
  if (!id) return false;
  item.id = *id;
  const Members members = look_at_members(*directory);
  item.has_processes = members.any;
  item.threaded = members.threaded;
  if (detail == WalkDetail::usage) item.usage = read_cgroup_usage(*directory);
  DirectoryReader entries(directory->get());
  while (const auto entry = entries.next()) {
    if (!is_directory(*directory, *entry)) continue;
    if (entry->name == kHoldRoomName)
      add_room(*directory, entry->inode, detail, item);
    else
      list_child(*entry, index, tree);
  }
  return true;
}

uint64_t less(uint64_t from, uint64_t part) {
  return part < from ? from - part : 0;
}

void form_own_shares(CgroupTree& tree) {
  for (Cgroup& item : tree.items) {
    if (item.usage.has_memory) item.own_undroppable_bytes = item.usage.undroppable_bytes;
    item.own_cpu_usec = item.usage.cpu_usec;
    item.own_pids = item.usage.pids;
  }
  for (const Cgroup& item : tree.items) {
    if (item.parent < 0) continue;
    Cgroup& above = tree.items[static_cast<std::size_t>(item.parent)];
    if (above.usage.has_memory)
      above.own_undroppable_bytes = less(above.own_undroppable_bytes, item.usage.undroppable_bytes);
    above.own_cpu_usec = less(above.own_cpu_usec, item.usage.cpu_usec);
    above.own_pids = less(above.own_pids, item.usage.pids);
  }
}

// Takes the vanished out of the table and renumbers parents. Children of a vanished cgroup were never listed.
void close_gaps(FixedVector<bool, kMaxCgroups>& gone, CgroupTree& tree) {
  int moved_to[kMaxCgroups];
  std::size_t kept = 0;
  for (std::size_t i = 0; i < tree.items.size(); ++i) {
    if (gone[i]) continue;
    moved_to[i] = static_cast<int>(kept);
    if (kept != i) tree.items[kept] = tree.items[i];
    Cgroup& item = tree.items[kept++];
    if (item.parent >= 0) item.parent = moved_to[item.parent];
  }
  tree.items.resize_down(kept);
}

}  // namespace

Result<uint64_t> cgroup_id(const Fd& cgroup) {
  struct stat about {};
  if (::fstat(cgroup.get(), &about) != 0) return errno_error("stat a cgroup");
  return static_cast<uint64_t>(about.st_ino);
}

Result<Fd> open_cgroup(const Fd& root, std::string_view path, uint64_t id) {
  const FixedString<kCgroupPathBytes> name(path);
  if (name.cut() || path.empty() || path.front() != '/' || has_parent_step(path))
    return make_error(0, "open the cgroup", path);
  auto directory = open_directory(root.get(), below_root(name));
  if (!directory) return make_error(directory.error().code, "open the cgroup", path);
  const auto found = cgroup_id(*directory);
  if (!found) return found.error();
  if (*found != id) return make_error(ESTALE, "open the cgroup that was judged,", path);
  return directory;
}

Result<void> walk_cgroups(const Fd& root, WalkDetail detail, CgroupTree& tree) {
  tree.items.clear();
  tree.cut = false;
  Cgroup top;
  top.path.append("/");
  top.parent = -1;
  tree.items.push_back(top);
  FixedVector<bool, kMaxCgroups> gone;
  bool any_gone = false;
  for (std::size_t i = 0; i < tree.items.size(); ++i) {  // grows while it runs: breadth first
    let_others_run();
    const bool alive = visit(root, static_cast<int>(i), detail, tree);
    gone.push_back(!alive);
    any_gone |= !alive;
  }
  if (gone[0]) return make_error(EIO, "read the root of the cgroup tree");
  if (any_gone) close_gaps(gone, tree);
  if (detail == WalkDetail::usage) form_own_shares(tree);
  return {};
}

const Cgroup* CgroupTree::find(uint64_t id) const {
  for (const Cgroup& item : items)
    if (item.id == id || (item.room_id == id && id != 0)) return &item;
  return nullptr;
}

int CgroupTree::index_of(std::string_view path) const {
  if (path == "/hosa.hold") path = "/";
  if (path.ends_with(kHoldRoomName) && path.size() > kHoldRoomName.size() &&
      path[path.size() - kHoldRoomName.size() - 1] == '/')
    path.remove_suffix(kHoldRoomName.size() + 1);
  for (std::size_t i = 0; i < items.size(); ++i)
    if (items[i].path == path) return static_cast<int>(i);
  return -1;
}

const Cgroup* CgroupTree::find(std::string_view path) const {
  const int index = index_of(path);
  return index < 0 ? nullptr : &items[static_cast<std::size_t>(index)];
}

}  // namespace hosa
