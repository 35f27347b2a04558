#include "test/catch.h"
#include "tools/hosa/room_weight.h"

#include <filesystem>
#include <fstream>
#include <initializer_list>

#include "loader/sys/file.h"

using namespace hosa;

namespace {

struct Group {
  std::filesystem::path path;
  Fd directory;
  Group() {
    char name[] = "/tmp/hosa-weight.XXXXXX";
    path = ::mkdtemp(name);
    directory = std::move(*open_directory(AT_FDCWD, path.c_str()));
  }
  ~Group() { std::filesystem::remove_all(path); }
  void is(const char* procs, int descendants) const {
    std::ofstream(path / "cgroup.procs") << procs;
    std::ofstream stat(path / "cgroup.stat");
    stat << "nr_descendants " << descendants << "\n";
    for (const char* name : {"cpuset", "cpu", "io", "memory", "perf_event", "hugetlb", "pids", "rdma", "misc", "dmem"})
      stat << "nr_subsys_" << name << " 12\n";  // Linux 6.12
    stat << "nr_dying_descendants 3\n";
  }
};

Members of(std::initializer_list<int> pids) {
  Members members;
  for (const int pid : pids) members.push_back({pid});
  return members;
}

}  // namespace

TEST_CASE("all of a cgroup is held when nobody is left outside of its room") {
  const Group cgroup;
  cgroup.is("", 1);
  CHECK(all_in_room(cgroup.directory, of({811}), 500, {}));
}

TEST_CASE("who was born of the fault and has stopped growing is no mate") {
  const Group cgroup;
  const ProcessRef held[] = {{811, 100}};
  cgroup.is("812\n814\n", 1);
  CHECK(all_in_room(cgroup.directory, of({811, 813}), 500, held));  // since it was named
  Members just_born = of({811, 812});
  just_born[1].parent = 811, just_born[1].start_ticks = 600;
  CHECK(all_in_room(cgroup.directory, just_born, 500, held));
  CHECK_FALSE(all_in_room(cgroup.directory, just_born, 700, held));  // long before
  CHECK_FALSE(all_in_room(cgroup.directory, just_born, 500, {}));    // of somebody else
}

TEST_CASE("a mate outside of the room, or a cgroup deeper than it, is not held") {
  const Group cgroup;
  CHECK_FALSE(all_in_room(cgroup.directory, {}, 500, {}));  // no files: it has gone
  cgroup.is("812\n814\n", 1);
  CHECK_FALSE(all_in_room(cgroup.directory, of({811, 814}), 500, {}));
  cgroup.is("", 2);
  CHECK_FALSE(all_in_room(cgroup.directory, {}, 500, {}));
  cgroup.is("", 0);
  CHECK_FALSE(all_in_room(cgroup.directory, {}, 500, {}));  // no room
}
