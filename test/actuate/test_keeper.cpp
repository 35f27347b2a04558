#include "actuate/keeper.h"

#include <poll.h>
#include <sys/prctl.h>

#include "actuate/audit_file.h"
#include "actuate/limit.h"
#include "actuate/process_hold.h"
#include "test/actuate/scratch.h"

using namespace hosa;

namespace {

// A fake agent: a child that makes journal and keeper as hosa does, holds what the test wants and stamps until it is
// told to end. The journal is a file, so that the test looks into it from outside.
struct Stage {
  scratch::CgroupFixture cgroup;
  scratch::Directory run;
  std::string audit = run / "log/audit.jsonl";
};

using Holding = std::function<void(Journal&, const Stage&)>;

void hold_limits(Journal& journal, const Stage& stage) {
  const auto high = apply_limit(journal, stage.cgroup.ref(), CgroupFile::memory_high, "268435456", scratch::soon_ns());
  const auto pids = apply_limit(journal, stage.cgroup.ref(), CgroupFile::pids_max, "20", scratch::soon_ns());
  if (!high || !pids) ::_exit(3);
}

void run_agent(const Stage& stage, const Holding& holding, int told, int answers) {
  auto journal = Journal::open((stage.run / "journal").c_str(), scratch::kBoot);
  if (!journal) ::_exit(1);
  const Roots roots = stage.cgroup.roots();
  journal->set_agent(::getpid(), 1);
  auto keeper = Keeper::start(*journal, {&roots, stage.audit.c_str()});
  if (!keeper) ::_exit(2);
  journal->stamp(scratch::clock_ns(CLOCK_MONOTONIC));
  journal->set_acting(true);
  holding(*journal, stage);
  (void)keeper->ask(make_request(KeeperTask::drain_audit, 0, "", 0));  // wakes it: from now on it watches
  const pid_t id = keeper->pid();
  (void)!::write(answers, &id, sizeof id);
  bool leaving = false;
  while (!leaving) {
    pollfd words{told, POLLIN, 0};
    if (::poll(&words, 1, 50) > 0) {
      switch (scratch::hear(told)) {
        case 'q': scratch::say(answers, journal->gave_back() ? 'y' : 'n'); break;
        case 'a': accept_give_back(*journal, roots), scratch::say(answers); break;
        case 'k':
          (void)keeper->take_answer(), (void)keeper->take_answer(), scratch::say(answers, keeper->gone() ? 'y' : 'n');
          break;
        default: leaving = true;
      }
    }
    journal->stamp(scratch::clock_ns(CLOCK_MONOTONIC));
  }
  (void)undo_all(*journal, roots, false);
  keeper->dismiss();
}

class Agent {
 public:
  explicit Agent(const Stage& stage, const Holding& holding = hold_limits)
      : child_([&](int told, int answers) { run_agent(stage, holding, told, answers); }) {
    for (std::size_t i = 0; i < sizeof keeper_; ++i) reinterpret_cast<char*>(&keeper_)[i] = child_.answer();
    REQUIRE(keeper_ > 1);
  }
  Agent(const Agent&) = delete;
  ~Agent() {
    child_.kill();
    if (keeper_lives() && ::kill(keeper_, SIGKILL) == 0) (void)keeper_ends(1);
  }
  char ask(char word) const {
    child_.tell(word);
    return child_.answer();
  }
  scratch::Child& child() { return child_; }
  pid_t keeper() const { return keeper_; }
  // This process reaps orphans (Reaper), so a keeper that ended is a zombie until it is waited for.
  bool keeper_lives() const { return ::waitpid(keeper_, nullptr, WNOHANG) != keeper_ && ::kill(keeper_, 0) == 0; }
  bool keeper_ends(double limit_s) const {
    return scratch::seconds_until(limit_s, [&] { return !keeper_lives(); }) >= 0;
  }

 private:
  scratch::Child child_;
  pid_t keeper_ = 0;
};

// Orphans come to this process instead of to init, so that they can be seen to end.
struct Reaper {
  Reaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }
  Reaper(const Reaper&) = delete;
  ~Reaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 0); }
};

bool given_back(const Stage& stage) {
  return stage.cgroup.value("memory.high") == "max" && stage.cgroup.value("pids.max") == "1145";
}

}  // namespace

TEST_CASE("S5: killed, the agent's limits are gone within 2 s and the keeper ends") {
  const scratch::SameDescriptors same;
  const Reaper reaper;
  const Stage stage;
  Agent agent(stage);
  REQUIRE(stage.cgroup.value("memory.high") == "268435456");
  agent.child().signal(SIGKILL);
  CHECK(scratch::seconds_until(2, [&] { return given_back(stage); }) >= 0);
  CHECK(agent.keeper_ends(2));
  const auto journal = Journal::open((stage.run / "journal").c_str(), scratch::kBoot);
  REQUIRE(journal);  // its lock is free
  CHECK(journal->held_count() == 0);
}

TEST_CASE("S5: stopped, the agent's limits are gone within 4 s, and it hears of it when it goes on") {
  const scratch::SameDescriptors same;
  const Reaper reaper;
  const Stage stage;
  Agent agent(stage);
  CHECK(agent.ask('q') == 'n');
  agent.child().signal(SIGSTOP);
  CHECK(scratch::seconds_until(4, [&] { return given_back(stage); }) >= 0);
  CHECK(agent.keeper_lives());
  agent.child().signal(SIGCONT);
  CHECK(agent.ask('q') == 'y');
  CHECK(agent.ask('a') == '!');
  CHECK(agent.ask('q') == 'n');
  CHECK(given_back(stage));
  agent.child().tell('d');
  CHECK(agent.keeper_ends(4));
}

TEST_CASE("S5: an agent that ticks keeps what it holds") {
  const Reaper reaper;
  const Stage stage;
  Agent agent(stage);
  ::usleep(2'600'000);  // longer than the keeper's patience with one that does not
  CHECK(stage.cgroup.value("memory.high") == "268435456");
  CHECK(agent.ask('q') == 'n');
}

TEST_CASE("S5: SIGTERM, SIGINT and SIGHUP do not move the keeper") {
  const Reaper reaper;
  const Stage stage;
  Agent agent(stage);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGPIPE}) REQUIRE(::kill(agent.keeper(), number) == 0);
  ::usleep(200'000);
  CHECK(agent.keeper_lives());
  agent.child().signal(SIGKILL);
  CHECK(scratch::seconds_until(2, [&] { return given_back(stage); }) >= 0);
}

TEST_CASE("S5: the keeper is in a session of its own, so a terminal's Ctrl-C and hang-up pass it by") {
  const Reaper reaper;
  const Stage stage;
  Agent agent(stage);
  CHECK(scratch::seconds_until(1, [&] { return ::getsid(agent.keeper()) == agent.keeper(); }) >= 0);
  const std::string comm = "/proc/" + std::to_string(agent.keeper()) + "/comm";
  CHECK(scratch::seconds_until(1, [&] { return scratch::slurp(comm) == "hosa-keeper"; }) >= 0);
}

TEST_CASE("with nothing held and the agent gone the keeper ends at once") {
  const Reaper reaper;
  const Stage stage;
  SECTION("the agent is killed") {
    Agent agent(stage, [](Journal& journal, const Stage&) { journal.set_acting(false); });
    agent.child().signal(SIGKILL);
    CHECK(agent.keeper_ends(1));
  }
  SECTION("the agent dismisses it") {
    Agent agent(stage, [](Journal&, const Stage&) {});
    agent.child().tell('d');
    CHECK(agent.keeper_ends(2));
  }
}

TEST_CASE("the agent learns that its keeper has been killed") {
  const Reaper reaper;
  const Stage stage;
  Agent agent(stage);
  CHECK(agent.ask('k') == 'n');
  REQUIRE(::kill(agent.keeper(), SIGKILL) == 0);
  CHECK(scratch::seconds_until(1, [&] { return agent.ask('k') == 'y'; }) >= 0);
}

TEST_CASE("S2: the keeper takes back what a lease ran out on while the agent lives") {
  const Reaper reaper;
  const Stage stage;
  Agent agent(stage, [](Journal& journal, const Stage& s) {
    const auto high = apply_limit(journal, s.cgroup.ref(), CgroupFile::memory_high, "268435456", scratch::soon_ns(0.3));
    const auto pids = apply_limit(journal, s.cgroup.ref(), CgroupFile::pids_max, "20", scratch::soon_ns(60));
    if (!high || !pids) ::_exit(3);
  });
  CHECK(scratch::seconds_until(2, [&] { return stage.cgroup.value("memory.high") == "max"; }) >= 0);
  CHECK(stage.cgroup.value("pids.max") == "20");
  CHECK(agent.ask('q') == 'n');
}

TEST_CASE("S4: what somebody set meanwhile survives the agent's death") {
  const Reaper reaper;
  const Stage stage;
  Agent agent(stage);
  stage.cgroup.set("memory.high", "1000000000");
  agent.child().signal(SIGKILL);
  CHECK(agent.keeper_ends(2));
  CHECK(stage.cgroup.value("memory.high") == "1000000000");
  CHECK(stage.cgroup.value("pids.max") == "1145");
}

TEST_CASE("S5, S6: a stopped and idled process runs again, alive, after the agent was killed") {
  const Reaper reaper;
  const Stage stage;
  const scratch::Child held([](int told, int answers) {
    while (scratch::hear(told) != 0) scratch::say(answers);
  });
  const ProcessRef process = held.ref(stage.cgroup.proc());
  Agent agent(stage, [&](Journal& journal, const Stage& s) {
    if (!idle_threads(journal, s.cgroup.proc(), process, scratch::soon_ns())) ::_exit(3);
    if (!stop_process(journal, s.cgroup.proc(), process, scratch::soon_ns())) ::_exit(4);
  });
  REQUIRE(held.becomes(stage.cgroup.proc(), 'T'));
  REQUIRE(scheduling_policy(held.pid()) == kSchedIdle);
  agent.child().signal(SIGKILL);
  CHECK(scratch::seconds_until(2, [&] { return held.state(stage.cgroup.proc()) == 'S'; }) >= 0);
  CHECK(agent.keeper_ends(2));
  CHECK(scheduling_policy(held.pid()) == 0);
  held.tell();
  CHECK(held.answer() == '!');
}

TEST_CASE("audit lines reach the file whole and in order, the last ones too") {
  const Reaper reaper;
  const Stage stage;
  Agent agent(stage, [](Journal& journal, const Stage&) {
    for (int i = 0; i < 500; ++i) {
      const std::string line = "{\"n\":" + std::to_string(i) + "}\n";
      if (!journal.audit().append(line)) ::_exit(3);
    }
  });
  agent.child().signal(SIGKILL);
  CHECK(agent.keeper_ends(2));
  std::string expected;
  for (int i = 0; i < 500; ++i) expected += "{\"n\":" + std::to_string(i) + "}\n";
  expected.pop_back();  // as slurp does
  CHECK(scratch::slurp(stage.audit) == expected);
}

TEST_CASE("the audit file turns over at 8 MB, one older file stays, every line is whole") {
  const scratch::SameDescriptors same;
  const scratch::Directory directory;
  Journal journal = scratch::journal_in_memory();
  AuditFile file;
  file.open((directory / "audit.jsonl").c_str());
  const std::string line(999, 'x');
  for (int i = 0; i < 20'000; ++i) {  // 20 MB: two turns
    REQUIRE(journal.audit().append(line + "\n"));
    file.drain(journal.audit());
  }
  CHECK(journal.audit().lost() == 0);
  for (const char* name : {"audit.jsonl", "audit.jsonl.1"}) {
    const auto bytes = std::filesystem::file_size(directory / name);
    CHECK(bytes <= AuditFile::kMostBytes + 1000);
    CHECK(bytes % 1000 == 0);
  }
  CHECK(std::distance(std::filesystem::directory_iterator(directory.c_str()), {}) == 2);
}

TEST_CASE("an audit path that cannot be had loses no line while the ring has room, and counts those it lost") {
  const scratch::Directory directory;
  Journal journal = scratch::journal_in_memory();
  AuditFile file;
  REQUIRE(::symlink("/etc/hostname", (directory / "audit.jsonl").c_str()) == 0);
  file.open((directory / "audit.jsonl").c_str());  // a link is not followed; told once on stderr
  int kept = 0;
  while (journal.audit().append("0123456789abcdef\n")) ++kept;
  file.drain(journal.audit());
  CHECK(kept == static_cast<int>(journal_layout::kAuditRingBytes) / 17);
  CHECK(journal.audit().lost() == 1);
  CHECK_FALSE(journal.audit().empty());
}
