#include "actuate/limit_watch.h"
#include "test/actuate/guest_cgroup.h"

using namespace hosa;

namespace {

constexpr const char* kFiles[] = {"memory.high", "pids.max", "no.such.file"};

LimitWatch watching(const scratch::CgroupFixture& cgroup) {
  LimitWatch watch;
  REQUIRE(watch.open());
  watch.add(cgroup.leaker(), scratch::kLeaker, kFiles);
  CHECK_FALSE(watch.take());
  return watch;
}

}  // namespace

TEST_CASE("who writes where a limit stands is told at once") {
  const scratch::SameDescriptors same;
  const scratch::CgroupFixture cgroup;
  LimitWatch watch = watching(cgroup);
  cgroup.set("pids.max", "max");
  CHECK(watch.take());
  CHECK_FALSE(watch.take());  // once
  cgroup.set("cpu.weight", "100");
  CHECK_FALSE(watch.take());  // another file
}

TEST_CASE("who takes a controller away above a limit is told, up to the root") {
  const scratch::CgroupFixture cgroup;
  for (const char* above : {"/cgroup/system.slice", "/cgroup"}) {
    const std::string file = cgroup.home() / std::string(above + 1) + "/cgroup.subtree_control";
    scratch::spill(file, "cpu\n");
    LimitWatch watch = watching(cgroup);
    scratch::spill(file, "\n");
    CHECK(watch.take());
  }
}

TEST_CASE("when nobody is held nothing is watched, and the same file is watched once") {
  const scratch::CgroupFixture cgroup;
  LimitWatch watch = watching(cgroup);
  const std::size_t files = watch.watched();
  CHECK(files >= 2);
  watch.add(cgroup.leaker(), scratch::kLeaker, kFiles);
  CHECK(watch.watched() == files);
  watch.clear();
  CHECK(watch.watched() == 0);
  cgroup.set("pids.max", "max");
  CHECK_FALSE(watch.take());
}

TEST_CASE("a deeper path than there can be, and a watch that was never opened, are no error") {
  const scratch::CgroupFixture cgroup;
  LimitWatch unopened;
  unopened.add(cgroup.leaker(), scratch::kLeaker, kFiles);
  CHECK_FALSE(unopened.take());
  LimitWatch watch;
  REQUIRE(watch.open());
  watch.add(cgroup.leaker(), std::string(4096, '/'), kFiles);
  CHECK(watch.watched() >= 2);
}

TEST_CASE("cgroupfs tells of a limit and of a controller as files do", "[.guest]") {
  const scratch::GuestCgroup cgroup;
  LimitWatch watch;
  REQUIRE(watch.open());
  watch.add(cgroup.directory(), cgroup.path(), kFiles);
  REQUIRE(cgroup.set("/pids.max", "1000"));
  CHECK(watch.take());
  const bool on = cgroup.root_value("cgroup.subtree_control").find("cpu") != std::string::npos;
  REQUIRE(cgroup.set_root("cgroup.subtree_control", on ? "-cpu" : "+cpu"));
  CHECK(watch.take());
  REQUIRE(cgroup.set_root("cgroup.subtree_control", on ? "+cpu" : "-cpu"));
}
