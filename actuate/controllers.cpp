#include "actuate/controllers.h"
#include <dirent.h>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/cgroup_tree.h"
#include "proprioception/directory.h"
#include "proprioception/machine.h"

namespace hosa {
namespace {

struct Default {
  const char* file;
  const char* value;
};
// What a fresh cgroup holds (Documentation/admin-guide/cgroup-v2.rst). Only cpu is ever switched on by us.
constexpr Default kCpuDefaults[] = {{"cpu.weight", "100"}, {"cpu.max", "max 100000"}, {"cpu.idle", "0"}};

bool holds_defaults(const Fd& child) {
  char buffer[128];
  for (const Default& expected : kCpuDefaults) {
    const auto text = read_file(child.get(), expected.file, buffer);
    if (text && trim(*text) != expected.value) return false;
  }
  return true;
}

Result<bool> is_on(const Fd& cgroup, const char* file, std::string_view controller) {
  char buffer[512];
  const auto text = read_file(cgroup.get(), file, buffer);
  if (!text) return text.error();
  return has_word(*text, controller);
}

Result<void> switch_on_here(Journal& journal, const Fd& cgroup, std::string_view path, std::string_view controller,
                            uint64_t deadline_ns) {
  const auto on = is_on(cgroup, "cgroup.subtree_control", controller);
  if (!on) return on.error();
  if (*on) return {};
  const auto has = is_on(cgroup, "cgroup.controllers", controller);
  if (!has || !*has) return make_error(ENOENT, "switch on a controller in", path);
  const auto id = cgroup_id(cgroup);
  if (!id) return id.error();
  JournalEntry entry;
  entry.kind = EntryKind::controller;
  entry.file = CgroupFile::subtree_control;
  entry.cgroup_id = *id;
  entry.path = path;
  entry.old_value = controller;
  entry.ours = controller;
  entry.deadline_ns = deadline_ns;
  // It may be ours already, and somebody (daemon-reload) has switched it off meanwhile.
  const int known = journal.find(entry.kind, entry.file, entry.cgroup_id);
  const auto index = known >= 0 ? Result<int>(known) : journal.remember(entry);
  if (!index) return index.error();
  FixedString<32> word("+");
  word.append(controller);
  const auto put = write_file(cgroup.get(), "cgroup.subtree_control", word.view());
  if (!put) journal.forget(*index);
  return put;
}

}  // namespace

Result<void> switch_on(Journal& journal, const Fd& root, std::string_view path, std::string_view controller,
                       uint64_t deadline_ns) {
  // Every slash of "/a/b" ends the path of one ancestor: "", "/a".
  for (std::size_t end = 0; end != std::string_view::npos; end = path.find('/', end + 1)) {
    if (path.size() <= 1) break;
    FixedString<512> ancestor(".");
    ancestor.append(slice(path, 0, end));
    const auto cgroup = open_directory(root.get(), ancestor.c_str());
    if (!cgroup) return cgroup.error();
    const auto on = switch_on_here(journal, *cgroup, end == 0 ? "/" : slice(path, 0, end), controller, deadline_ns);
    if (!on) return on.error();
  }
  return {};
}

Undone switch_off(const Fd& cgroup, std::string_view controller) {
  const auto on = is_on(cgroup, "cgroup.subtree_control", controller);
  if (!on) return Undone::gone;
  if (!*on) return Undone::already;
  DirectoryReader reader(cgroup.get());
  while (const auto entry = reader.next()) {
    if (entry->type != DT_DIR) continue;
    const auto child = open_directory(cgroup.get(), entry->name.data());
    if (child && !holds_defaults(*child)) return Undone::kept;
  }
  FixedString<32> word("-");
  word.append(controller);
  return write_file(cgroup.get(), "cgroup.subtree_control", word.view()) ? Undone::restored : Undone::kept;
}

}  // namespace hosa
