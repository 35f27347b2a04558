#include "proprioception/cgroup_files.h"
#include "proprioception/cgroup_mount.h"
#include "proprioception/cgroup_tree.h"
#include "test/catch.h"
#include "test/proprioception/hostile.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

using namespace hosa;

namespace {
std::optional<Mount> best_mount(const std::string& table) {
  Cgroup2Finder finder;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) finder.take(line);
  return finder.best();
}
CgroupTree& walked(WalkDetail detail = WalkDetail::usage) {
  static CgroupTree tree;
  REQUIRE(walk_cgroups(fixture("cgroup"), detail, tree));
  return tree;
}
// A tree of directories below a temporary directory, removed again.
struct Scratch {
  Scratch() { REQUIRE(::mkdtemp(path) != nullptr); }
  ~Scratch() { (void)!::system((std::string("rm -rf ") + path).c_str()); }
  char path[32] = "/tmp/hosa-tree-XXXXXX";
};
}  // namespace

TEST_CASE("the v2 mount is found on unified and on hybrid hosts, and not on v1 hosts") {
  CHECK(best_mount(fixture_text("server/proc/self/mountinfo"))->point == "/sys/fs/cgroup");
  CHECK(best_mount(fixture_text("hybrid/proc/self/mountinfo"))->point == "/sys/fs/cgroup/unified");
  CHECK_FALSE(best_mount(fixture_text("appliance/proc/self/mountinfo")).has_value());
}

TEST_CASE("mount points are unescaped and cut lines are no mounts") {
  const auto mount = parse_mount("98 27 0:51 / /srv/a\\040b\\011c ro,relatime shared:51 - tmpfs tmpfs rw");
  REQUIRE(mount.has_value());
  CHECK(mount->point == "/srv/a b\tc");
  CHECK(mount->type == "tmpfs");
  CHECK(mount->read_only);
  CHECK(parse_mount("1 1 0:1 / /a\\04 rw - x y rw")->point == "/a\\04");
  CHECK_FALSE(parse_mount("98 27 0:51 / /srv rw,relatime shared:51").has_value());
  CHECK_FALSE(parse_mount("98 27 0:51 / relative rw - cgroup2 none rw").has_value());
  CHECK_FALSE(parse_mount("").has_value());
  damage("34 23 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate",
         [](std::string_view line) { parse_mount(line); });
}

TEST_CASE("the v1 hierarchy of a controller is found by its options, whole ones only") {
  const auto has = [](const char* line, const char* controller) {
    const auto mount = parse_mount(line);
    return mount.has_value() && is_v1_of(*mount, controller);
  };
  // Debian 10: cpu and cpuacct share a hierarchy
  const char* const both = "33 25 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:15 - cgroup cgroup rw,cpu,cpuacct";
  CHECK(has(both, "cpu"));
  CHECK(has(both, "cpuacct"));
  CHECK_FALSE(has(both, "pu"));
  CHECK_FALSE(has("34 25 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset", "cpu"));
  CHECK_FALSE(has("33 25 0:29 /docker/4f /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", "cpu"));
  CHECK_FALSE(has("41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,cpu", "cpu"));
  CHECK_FALSE(has("33 25 0:29 / /sys/fs/cgroup/cpu rw - cgroup", "cpu"));
  CHECK_FALSE(open_v1_home(fixture("hybrid/proc"), "cpu"));
}

TEST_CASE("a machine without a cgroup2 mount is told so when mounting is not allowed") {
  const CgroupHome home = open_cgroup_home(fixture("appliance/proc"), false);
  CHECK(home.how == CgroupRoot::absent);
  CHECK_FALSE(home.directory);
  CHECK(home.reason == "no cgroup2 in /proc/self/mountinfo");
}

TEST_CASE("this machine's own v2 hierarchy, where there is one, can be walked") {
  const auto proc = open_directory(AT_FDCWD, "/proc");
  const CgroupHome home = open_cgroup_home(*proc, false);
  if (home.how != CgroupRoot::found) HOSA_SKIP("no cgroup2 mount on this machine");
  static CgroupTree tree;
  REQUIRE(walk_cgroups(home.directory, WalkDetail::usage, tree));
  REQUIRE(tree.items.size() >= 1);
  CHECK(tree.items[0].path == "/");
  CHECK(tree.items[0].id == *cgroup_id(home.directory));
  for (const Cgroup& item : tree.items) CHECK(open_cgroup(home.directory, item.path.view(), item.id).has_value());
}

TEST_CASE("a private mount of cgroup2 shows the same root, attached nowhere", "[guest]") {
  if (::getenv("HOSA_GUEST") == nullptr) HOSA_SKIP("mounts cgroup2 privately: guests only (HOSA_GUEST)");
  const auto mounted = mount_cgroup2_privately();
  REQUIRE(mounted);
  static CgroupTree tree;
  CHECK(walk_cgroups(*mounted, WalkDetail::structure, tree).has_value());
}

TEST_CASE("the tree lists parents first, the hold room not at all") {
  const CgroupTree& tree = walked();
  CHECK_FALSE(tree.cut);
  CHECK(tree.items.size() == 6);
  for (std::size_t i = 0; i < tree.items.size(); ++i) {
    CHECK(tree.items[i].parent < static_cast<int>(i));
    CHECK(tree.items[i].path.view().find("hosa.hold") == std::string_view::npos);
  }
  const Cgroup* leak = tree.find(std::string_view("/system.slice/leak.service"));
  REQUIRE(leak != nullptr);
  CHECK(leak->room_id != 0);
  CHECK(leak->depth == 2);
  CHECK(tree.find(leak->room_id) == leak);
  CHECK(tree.find(std::string_view("/system.slice/leak.service/hosa.hold")) == leak);
  CHECK(tree.index_of("/hosa.hold") == 0);
  CHECK(tree.index_of("/nobody") == -1);
  CHECK(tree.find(uint64_t{1}) == nullptr);
  CHECK(tree.items[static_cast<std::size_t>(leak->parent)].path == "/system.slice");
}

TEST_CASE("bytes that cannot be dropped leave out file cache and reclaimable slab, own shares leave out children") {
  const CgroupTree& tree = walked();
  const Cgroup& leak = *tree.find(std::string_view("/system.slice/leak.service"));
  const Cgroup& system = *tree.find(std::string_view("/system.slice"));
  CHECK(leak.usage.undroppable_bytes == 500000);
  CHECK(leak.own_undroppable_bytes == 500000);
  CHECK(leak.usage.major_faults == 2);
  CHECK(leak.usage.nr_throttled == 4);
  CHECK(system.usage.undroppable_bytes == 800000);
  CHECK(system.own_undroppable_bytes == 800000 - 500000 - 90000);
  CHECK(system.own_cpu_usec == 6000 - 5000);
  CHECK(system.own_pids == 40 - 12);
  CHECK_FALSE(system.has_processes);
  CHECK(leak.has_processes);
  const Cgroup& root = tree.items[0];
  CHECK_FALSE(root.usage.has_memory);
  CHECK(root.own_undroppable_bytes == 4000);  // what lives in the root's hold room
  CHECK(root.has_processes);
  CHECK(root.own_cpu_usec == 9000 - 6000 - 2000);
}

TEST_CASE("a walk of the structure alone reads no numbers") {
  const CgroupTree& tree = walked(WalkDetail::structure);
  CHECK(tree.items.size() == 6);
  for (const Cgroup& item : tree.items) CHECK_FALSE(item.usage.has_memory);
}

TEST_CASE("a cgroup is opened only if it is still the one that was judged") {
  const Fd root = fixture("cgroup");
  const Cgroup& leak = *walked().find(std::string_view("/system.slice/leak.service"));
  CHECK(open_cgroup(root, leak.path.view(), leak.id).has_value());
  CHECK(open_cgroup(root, leak.path.view(), leak.id + 1).error().code == ESTALE);
  CHECK(open_cgroup(root, "/system.slice/../user.slice", leak.id).error().code == 0);
  CHECK(open_cgroup(root, "relative", leak.id).error().code == 0);
  CHECK(open_cgroup(root, "", leak.id).error().code == 0);
  CHECK(open_cgroup(root, "/gone", leak.id).error().code == ENOENT);
}

TEST_CASE("more than 512 cgroups, or deeper than 16, are cut and said to be") {
  Scratch scratch;
  const std::string base = scratch.path;
  for (int i = 0; i < 600; ++i) ::mkdir((base + "/c" + std::to_string(i)).c_str(), 0755);
  static CgroupTree tree;
  REQUIRE(walk_cgroups(*open_directory(AT_FDCWD, scratch.path), WalkDetail::usage, tree));
  CHECK(tree.items.size() == kMaxCgroups);
  CHECK(tree.cut);
  Scratch deep;
  std::string path = deep.path;
  for (int i = 0; i < 30; ++i) ::mkdir((path += "/d").c_str(), 0755);
  REQUIRE(walk_cgroups(*open_directory(AT_FDCWD, deep.path), WalkDetail::usage, tree));
  CHECK(tree.items.size() == kMaxCgroupDepth + 1);
  CHECK(tree.cut);
  CHECK_FALSE(walk_cgroups(Fd(), WalkDetail::usage, tree).has_value());
}

TEST_CASE("cgroups that come and go during the walk leave no hole and no wrong parent") {
  Scratch scratch;
  const pid_t child = ::fork();
  if (child == 0) {
    while (true) {
      for (const char* name : {"/a", "/a/x", "/a/x/deep", "/b", "/b/y"})
        ::mkdir((std::string(scratch.path) + name).c_str(), 0755);
      for (const char* name : {"/b/y", "/b", "/a/x/deep", "/a/x", "/a"})
        ::rmdir((std::string(scratch.path) + name).c_str());
    }
  }
  const Fd root = std::move(*open_directory(AT_FDCWD, scratch.path));
  static CgroupTree tree;
  std::size_t most = 0;
  for (int round = 0; round < 3000; ++round) {
    REQUIRE(walk_cgroups(root, WalkDetail::structure, tree));
    most = std::max(most, tree.items.size());
    for (std::size_t i = 1; i < tree.items.size(); ++i) {
      const Cgroup& item = tree.items[i];
      REQUIRE((item.parent >= 0 && item.parent < static_cast<int>(i)));
      const Cgroup& above = tree.items[static_cast<std::size_t>(item.parent)];
      REQUIRE(item.path.view().starts_with(above.path.view()));
      REQUIRE(item.depth == above.depth + 1);
    }
  }
  CHECK(most > 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("headroom is the tightest memory.max above what cannot be dropped") {
  const Fd root = fixture("cgroup");
  const Headroom leak = memory_headroom(root, "/system.slice/leak.service");
  CHECK(leak.bytes == 200000);
  CHECK(leak.limit_bytes == 700000);
  CHECK(leak.path == "/system.slice/leak.service");
  const Headroom user = memory_headroom(root, "/user.slice/user-1000.slice");
  CHECK(user.bytes == 100000);
  CHECK(user.path == "/user.slice");
  CHECK(memory_headroom(root, "/system.slice/ssh.service").bytes == UINT64_MAX);
  CHECK(memory_headroom(root, "/").bytes == UINT64_MAX);
  CHECK(memory_headroom(root, "").bytes == UINT64_MAX);
  CHECK(memory_headroom(root, "no/slash").bytes == UINT64_MAX);
}

TEST_CASE("events, controllers, processes and state of a cgroup are read as they stand") {
  const Fd root = fixture("cgroup"), leak = fixture("cgroup/system.slice/leak.service");
  const auto events = read_memory_events(leak);
  REQUIRE(events.has_value());
  CHECK(events->high == 3);
  CHECK(events->oom_kill == 1);
  CHECK_FALSE(read_memory_events(root).has_value());
  CHECK(read_controllers(root).cpu);
  CHECK_FALSE(read_subtree_control(root).cpu);
  CHECK(read_subtree_control(root).memory);
  static PidList pids;
  REQUIRE(read_procs(leak, pids));
  REQUIRE(pids.size() == 2);  // "0" lives in another pid namespace
  CHECK(pids[0] == 801);
  CHECK(read_procs(fixture("pi5"), pids).error().code == ENOENT);
  CHECK(read_cgroup_state(leak)->populated);
  CHECK_FALSE(read_cgroup_state(leak)->frozen);
  CHECK(parse_limit("max\n") == UINT64_MAX);
  CHECK(parse_limit("4096\n") == 4096u);
  CHECK_FALSE(parse_limit("4096 1").has_value());
  CHECK_FALSE(parse_limit("").has_value());
}

TEST_CASE("damaged cgroup files never crash and never make memory out of nothing") {
  damage(fixture_text("cgroup/system.slice/leak.service/memory.stat"),
         [](std::string_view text) { parse_memory_stat(text); });
  damage(fixture_text("cgroup/system.slice/leak.service/memory.events"),
         [](std::string_view text) { parse_memory_events(text); });
  damage("cpuset cpu io memory hugetlb pids rdma misc\n", [](std::string_view text) { parse_controllers(text); });
  damage("123456789\n", [](std::string_view text) { parse_limit(text); });
  Scratch scratch;
  const auto write = [&](const char* name, const char* text) {
    std::ofstream(std::string(scratch.path) + name) << text;
  };
  write("/memory.current", "1000\n");
  write("/memory.stat", "active_file 900\ninactive_file 900\nslab_reclaimable 18446744073709551615\n");
  write("/cpu.stat", "usage_usec -4\n");
  const CgroupUsage usage = read_cgroup_usage(*open_directory(AT_FDCWD, scratch.path));
  CHECK(usage.undroppable_bytes == 0);
  CHECK_FALSE(usage.has_cpu);
}
