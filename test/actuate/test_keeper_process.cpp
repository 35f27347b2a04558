#include <sys/prctl.h>
#include <sys/resource.h>

#include "actuate/keeper.h"
#include "test/actuate/scratch.h"

using namespace hosa;

namespace {

// An agent whose keeper has started, and after what `before` did to it, as when a keeper is started anew.
struct Started {
  scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  scratch::Child agent;
  explicit Started(const std::function<void()>& before)
      : agent([this, before](int told, int answers) {
          before();
          const Roots roots = cgroup.roots();
          const auto keeper = Keeper::start(journal, {&roots, {}});
          scratch::say(answers, keeper ? '!' : '?');
          scratch::hear(told);
        }) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    REQUIRE(agent.answer() == '!');
    REQUIRE(scratch::seconds_until(2, [&] { return scratch::slurp(path("comm")) == "hosa-keeper"; }) >= 0);
    REQUIRE(scratch::seconds_until(2, [&] { return prepared(); }) >= 0);
  }
  ~Started() {
    const pid_t keeper = journal.keeper_pid();
    agent.kill();
    CHECK(::waitpid(keeper, nullptr, 0) == keeper);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
  }
  std::string path(const std::string& file) const {
    return "/proc/" + std::to_string(journal.keeper_pid()) + "/" + file;
  }
  std::vector<std::string> open_files() const {
    std::vector<std::string> names;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(path("fd"), ignored))
      names.push_back(std::filesystem::read_symlink(entry.path(), ignored));
    return names;
  }
  bool prepared() const { return open_files().size() <= 3 + 5; }  // standard streams, journal, roots, agent, socket
};

}  // namespace

TEST_CASE("S8: a keeper keeps nothing open of its agent but what it needs") {
  const scratch::SameDescriptors same;
  const Started started([] {
    REQUIRE(::open("/dev/zero", O_RDONLY) >= 0);
    REQUIRE(::dup2(STDERR_FILENO, 700) == 700);
  });
  for (const std::string& name : started.open_files()) CHECK(name != "/dev/zero");
  CHECK_FALSE(std::filesystem::exists(started.path("fd/700")));
  CHECK(started.journal.keeper_pid() > 0);
}

TEST_CASE("S8: a keeper is scheduled like anybody, whatever its agent is") {
  const Started started([] {
    (void)::setpriority(PRIO_PROCESS, 0, -15);
    REQUIRE(set_scheduling_policy(0, 3 /* SCHED_BATCH */));
  });
  const int keeper = started.journal.keeper_pid();
  CHECK(scratch::seconds_until(2, [&] { return scheduling_policy(keeper) == 0; }) >= 0);
  CHECK(scratch::seconds_until(2, [&] { return ::getpriority(PRIO_PROCESS, static_cast<id_t>(keeper)) == 0; }) >= 0);
}

TEST_CASE(
    "S2: cpu.shares of a v1 hierarchy outlive neither their agent nor its keeper's closing of what it does not need") {
  const scratch::CgroupFixture cgroup;
  cgroup.set("cpu.shares", "1024");
  Journal journal = scratch::journal_in_memory();
  scratch::Child agent([&](int told, int answers) {
    const Roots roots{&cgroup.proc(), nullptr, &cgroup.root()};
    const auto keeper = Keeper::start(journal, {&roots, {}});
    const auto done = apply_limit(journal, cgroup.ref(), CgroupFile::cpu_shares, "2", scratch::soon_ns());
    scratch::say(answers, keeper && done ? '!' : '?');
    scratch::hear(told);
  });
  REQUIRE(agent.answer() == '!');
  CHECK(cgroup.value("cpu.shares") == "2");
  agent.kill();
  CHECK(scratch::seconds_until(2, [&] { return cgroup.value("cpu.shares") == "1024"; }) >= 0);
}

TEST_CASE("a hold room whose unit was stopped meanwhile is closed: nothing of it stays in the journal") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  JournalEntry room;
  room.kind = EntryKind::room;
  room.cgroup_id = 1;  // of a unit that is started anew at the same path, so that its cgroup is another
  room.path = scratch::kLeaker;
  REQUIRE(journal.remember(room));
  const Roots roots = cgroup.roots();
  auto keeper = Keeper::start(journal, {&roots, {}});
  REQUIRE(keeper);
  REQUIRE(keeper->ask(make_request(KeeperTask::close_room, 1, scratch::kLeaker, scratch::soon_ns())));
  std::optional<KeeperAnswer> answer;
  REQUIRE(scratch::seconds_until(2, [&] { return (answer = keeper->take_answer()).has_value(); }) >= 0);
  CHECK(answer->error == 0);
  CHECK(journal.held_count() == 0);
  keeper->dismiss();
}
