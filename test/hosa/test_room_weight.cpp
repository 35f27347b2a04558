#include "test/catch.h"
#include "tools/hosa/room_weight.h"

#include <filesystem>
#include <fstream>

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
    std::ofstream(path / "cgroup.stat") << "nr_descendants " << descendants << "\nnr_dying_descendants 3\n";
  }
};

}  // namespace

TEST_CASE("all of a cgroup is held when nobody is left outside of its room") {
  const Group cgroup;
  cgroup.is("", 1);
  CHECK(all_in_room(cgroup.directory));
}

TEST_CASE("a mate outside of the room, or a cgroup deeper than it, is not held") {
  const Group cgroup;
  CHECK_FALSE(all_in_room(cgroup.directory));  // no files: it has gone
  cgroup.is("812\n", 1);
  CHECK_FALSE(all_in_room(cgroup.directory));
  cgroup.is("", 2);
  CHECK_FALSE(all_in_room(cgroup.directory));
  cgroup.is("", 0);
  CHECK_FALSE(all_in_room(cgroup.directory));  // no room
}
