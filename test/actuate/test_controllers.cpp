#include "actuate/controllers.h"

#include "test/actuate/guest_cgroup.h"

using namespace hosa;

namespace {

bool has_cpu(const std::string& words) {
  return (" " + words + " ").find(" cpu ") != std::string::npos;
}

// cpu is off at the root when a case begins, and off again when it ends.
struct CpuOff {
  const scratch::GuestCgroup& x;
  explicit CpuOff(const scratch::GuestCgroup& cgroup) : x(cgroup) {
    REQUIRE(has_cpu(x.root_value("cgroup.controllers")));
    (void)x.set_root("cgroup.subtree_control", "-cpu");
    REQUIRE_FALSE(has_cpu(x.root_value("cgroup.subtree_control")));
  }
  ~CpuOff() {
    for (const char* below : {"/a/b", "/a", ""}) (void)x.set(std::string(below) + "/cgroup.subtree_control", "-cpu");
    CHECK(x.set_root("cgroup.subtree_control", "-cpu"));
  }
};

void idle_child(int told, int) {
  scratch::hear(told);
}

}  // namespace

TEST_CASE("a controller that this tree does not have is not asked for") {
  const scratch::SameDescriptors same;
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  CHECK(switch_on(journal, cgroup.root(), scratch::kLeaker, "perf_event", scratch::soon_ns()).error().code == ENOENT);
  CHECK(journal.held_count() == 0);
}

TEST_CASE("a controller that is on along the whole path is not ours") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  REQUIRE(switch_on(journal, cgroup.root(), scratch::kLeaker, "memory", scratch::soon_ns()));
  CHECK(journal.held_count() == 0);
  REQUIRE(switch_on(journal, cgroup.root(), "/", "cpu", scratch::soon_ns()));  // the root has no parent
  CHECK(journal.held_count() == 0);
}

TEST_CASE("S1: with a full journal no controller is switched on") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  JournalEntry filler;
  filler.kind = EntryKind::thread_policy;
  while (journal.remember(filler)) {
  }
  CHECK(switch_on(journal, cgroup.root(), scratch::kLeaker, "cpu", scratch::soon_ns()).error().code == ENOSPC);
  CHECK(scratch::slurp(cgroup.home() / "cgroup/cgroup.subtree_control") == "memory pids");
}

TEST_CASE("a controller stays on where a child relies on it") {
  const scratch::CgroupFixture cgroup;
  const std::string slice = cgroup.home() / "cgroup/system.slice";
  scratch::spill(slice + "/cgroup.subtree_control", "cpu memory pids\n");
  const auto directory = open_directory(AT_FDCWD, slice.c_str());
  REQUIRE(directory);
  SECTION("a weight") {
    cgroup.set("cpu.weight", "50");
  }
  SECTION("a quota") {
    cgroup.set("cpu.max", "50000 100000");
  }
  SECTION("idle") {
    cgroup.set("cpu.idle", "1");
  }
  CHECK(switch_off(*directory, "cpu") == Undone::kept);
  CHECK(scratch::slurp(slice + "/cgroup.subtree_control") == "cpu memory pids");
}

TEST_CASE("a controller that somebody switched off already needs nothing") {
  const scratch::CgroupFixture cgroup;
  const auto slice = open_directory(cgroup.root().get(), "system.slice");
  REQUIRE(slice);
  CHECK(switch_off(*slice, "cpu") == Undone::already);
}

TEST_CASE("S2: cpu is switched on from the root to the parent and off again, deepest first", "[.guest]") {
  const scratch::SameDescriptors same;
  const scratch::GuestCgroup x;
  const CpuOff off(x);
  Journal journal = scratch::journal_in_memory();
  x.make("/a");
  x.make("/a/b");
  const scratch::Child child(idle_child);
  x.enter(child, "/a/b");
  REQUIRE(switch_on(journal, x.root(), x.path() + "/a/b", "cpu", scratch::soon_ns()));
  CHECK(journal.held_count() == 3);
  CHECK(x.value("/a/b/cpu.weight") == "100");
  CHECK_FALSE(has_cpu(x.value("/a/b/cgroup.subtree_control")));
  REQUIRE(switch_on(journal, x.root(), x.path() + "/a/b", "cpu", scratch::soon_ns()));
  CHECK(journal.held_count() == 3);  // on already
  const UndoReport report = undo_all(journal, x.roots(), false);
  CHECK(report[Undone::restored] == 3);
  CHECK_FALSE(has_cpu(x.value("/a/cgroup.subtree_control")));
  CHECK_FALSE(has_cpu(x.root_value("cgroup.subtree_control")));
  CHECK(x.value("/a/b/cpu.weight").empty());
}

TEST_CASE("S2: limit and controller are given back together, the limit first", "[.guest]") {
  const scratch::GuestCgroup x;
  const CpuOff off(x);
  Journal journal = scratch::journal_in_memory();
  REQUIRE(switch_on(journal, x.root(), x.path(), "cpu", scratch::soon_ns()));
  REQUIRE(apply_limit(journal, x.ref(), CgroupFile::cpu_weight, "10", scratch::soon_ns()));
  REQUIRE(apply_limit(journal, x.ref(), CgroupFile::cpu_max, "20000 100000", scratch::soon_ns()));
  CHECK(x.value("/cpu.max") == "20000 100000");
  const UndoReport report = undo_all(journal, x.roots(), false);
  CHECK(report[Undone::restored] == 3);
  CHECK_FALSE(has_cpu(x.root_value("cgroup.subtree_control")));
}

TEST_CASE("S4: cpu stays on above a child that somebody gave a weight meanwhile", "[.guest]") {
  const scratch::GuestCgroup x;
  const CpuOff off(x);
  Journal journal = scratch::journal_in_memory();
  x.make("/a");
  REQUIRE(switch_on(journal, x.root(), x.path() + "/a", "cpu", scratch::soon_ns()));
  REQUIRE(x.set("/a/cpu.weight", "50"));
  const UndoReport report = undo_all(journal, x.roots(), false);
  CHECK(report[Undone::kept] == 2);
  CHECK(report[Undone::failed] == 0);
  CHECK(x.value("/a/cpu.weight") == "50");
  CHECK(journal.held_count() == 0);
}

TEST_CASE("a cgroup with processes of its own beside children refuses, which is told, and nothing stays", "[.guest]") {
  const scratch::GuestCgroup x;
  const CpuOff off(x);
  Journal journal = scratch::journal_in_memory();
  x.make("/a");
  const scratch::Child own(idle_child), below(idle_child);
  x.enter(own);
  x.enter(below, "/a");
  CHECK(switch_on(journal, x.root(), x.path() + "/a", "cpu", scratch::soon_ns()).error().code == EBUSY);
  CHECK(journal.held_count() == 1);  // the root's, above
  CHECK(undo_all(journal, x.roots(), false)[Undone::restored] == 1);
  CHECK_FALSE(has_cpu(x.root_value("cgroup.subtree_control")));
}
