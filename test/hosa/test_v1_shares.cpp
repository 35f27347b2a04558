#include "tools/hosa/v1_shares.h"

#include <sched.h>

#include <initializer_list>
#include <vector>

#include "test/actuate/scratch.h"

using namespace hosa;

namespace {

// A cgroup as cgroup v1 shows it, with real processes in it.
struct Group {
  scratch::Directory home;
  Fd directory, proc;
  Group() {
    directory = std::move(*open_directory(AT_FDCWD, home.c_str()));
    proc = std::move(*open_directory(AT_FDCWD, "/proc"));
  }
  void has(std::initializer_list<int> pids) const {
    std::string text;
    for (const int pid : pids) text += std::to_string(pid) + "\n";
    scratch::spill(home / "cgroup.procs", text);
  }
  bool only(std::initializer_list<int> held, uint64_t born_ticks = UINT64_MAX) const {
    const std::vector<int> ascending(held);
    return look_inside(directory, proc, ascending, born_ticks).only_held;
  }
};

void stays(int told, int) {
  (void)scratch::hear(told);
}

}  // namespace

TEST_CASE("a v1 cgroup is the held one's own when nobody else is in it") {
  const Group cgroup;
  const scratch::Child held(stays), mate(stays);
  cgroup.has({held.pid()});
  CHECK(cgroup.only({held.pid()}));
  cgroup.has({held.pid(), mate.pid()});
  CHECK_FALSE(cgroup.only({held.pid()}));
}

TEST_CASE("who was born since the naming, or is SCHED_IDLE, is no mate in a v1 cgroup") {
  const Group cgroup;
  const scratch::Child held(stays), mate(stays);
  const uint64_t born = mate.ref(cgroup.proc).start_ticks;
  cgroup.has({held.pid(), mate.pid()});
  CHECK(cgroup.only({held.pid()}, born));
  CHECK_FALSE(cgroup.only({held.pid()}, born + 1));
  const sched_param none{};
  REQUIRE(::sched_setscheduler(mate.pid(), SCHED_IDLE, &none) == 0);
  CHECK(cgroup.only({held.pid()}, born + 1));
}

TEST_CASE("a v1 cgroup that is empty, gone or has others below it is left alone") {
  const Group cgroup;
  const scratch::Child held(stays);
  CHECK_FALSE(cgroup.only({held.pid()}));  // no files: it has gone
  cgroup.has({});
  CHECK_FALSE(cgroup.only({held.pid()}));
  cgroup.has({held.pid()});
  REQUIRE(::mkdir((cgroup.home / "below").c_str(), 0755) == 0);
  CHECK_FALSE(cgroup.only({held.pid()}));
}
