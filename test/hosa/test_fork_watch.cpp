#include "test/catch.h"
#include "tools/hosa/fork_watch.h"

#include <filesystem>
#include <fstream>

#include "loader/sys/file.h"

using namespace hosa;
using Answer = ForkWatch::Answer;

namespace {

constexpr double kLeastRunning = 32;

// A cgroup with as many tasks as it is told.
struct Cgroup {
  std::filesystem::path path;
  Fd directory;
  explicit Cgroup(int tasks) {
    char name[] = "/tmp/hosa-forks.XXXXXX";
    path = ::mkdtemp(name);
    holds(tasks);
    directory = std::move(*open_directory(AT_FDCWD, path.c_str()));
  }
  ~Cgroup() { std::filesystem::remove_all(path); }
  void holds(int tasks) const { std::ofstream(path / "pids.current") << tasks << "\n"; }
};

}  // namespace

TEST_CASE("a cgroup whose tasks crowd the CPUs ever more is a storm") {
  const Cgroup cgroup(20);
  ForkWatch watch;
  REQUIRE(watch.begin(cgroup.directory, 10, {15, 100}, 4));
  CHECK(watch.due_s() == Approx(10.012));
  cgroup.holds(30);
  CHECK(watch.look(10.012, {25, 111}, kLeastRunning) == Answer::wait);
  cgroup.holds(40);
  CHECK(watch.look(10.024, {36, 121}, kLeastRunning) == Answer::storm);
  CHECK(watch.births() == 36);
  CHECK(watch.births_per_s() == Approx(20 / 0.024));
  CHECK(watch.share() == Approx(20.0 / 21));
  CHECK_FALSE(watch.waits());
}

TEST_CASE("who was there before nobody counted is not taken to be born now") {
  const Cgroup cgroup(300);
  ForkWatch watch;
  REQUIRE(watch.begin(cgroup.directory, 10, {33, 400}, -1));
  cgroup.holds(310);
  CHECK(watch.look(10.012, {40, 410}, kLeastRunning) == Answer::wait);
  CHECK(watch.births() == 10);
}

TEST_CASE("a burst that is over is no storm") {
  const Cgroup cgroup(90);
  ForkWatch watch;
  REQUIRE(watch.begin(cgroup.directory, 10, {50, 200}, 10));
  CHECK(watch.look(10.012, {50, 200}, kLeastRunning) == Answer::wait);
  CHECK(watch.look(10.052, {50, 200}, kLeastRunning) == Answer::unknown);
  CHECK_FALSE(watch.waits());
}

TEST_CASE("tasks that sleep, and growth that is somebody else's, are left to a census") {
  const Cgroup cgroup(10);
  ForkWatch asleep, beside;
  REQUIRE(asleep.begin(cgroup.directory, 10, {1, 100}, 4));
  REQUIRE(beside.begin(cgroup.directory, 10, {1, 100}, 4));
  cgroup.holds(20);
  CHECK(asleep.look(10.012, {1, 110}, kLeastRunning) == Answer::wait);
  cgroup.holds(90);
  CHECK(asleep.look(10.024, {2, 180}, kLeastRunning) == Answer::unknown);
  cgroup.holds(60);
  CHECK(beside.look(10.41, {300, 400}, kLeastRunning) == Answer::unknown);
}

TEST_CASE("a cgroup without the pids controller cannot be watched") {
  const Cgroup cgroup(10);
  std::filesystem::remove(cgroup.path / "pids.current");
  ForkWatch watch;
  CHECK_FALSE(watch.begin(cgroup.directory, 10, {1, 100}, 4));
  CHECK_FALSE(watch.waits());
}
