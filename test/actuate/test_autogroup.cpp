#include "actuate/autogroup.h"

#include <array>

#include "proprioception/process_status.h"
#include "test/actuate/scratch.h"

using namespace hosa;

namespace {

// A child in a session of its own. Told 'f' it forks a mate that sleeps in the same session, 'n' makes its session
// nicer by hand; it answers each word with '!'.
void in_own_session(int told, int answers) {
  (void)::setsid();
  pid_t mate = 0;
  scratch::say(answers);
  for (char word = scratch::hear(told); word != 0; word = scratch::hear(told)) {
    if (word == 'n') scratch::spill("/proc/self/autogroup", "7");
    if (word == 'f' && (mate = ::fork()) == 0) {
      ::alarm(60);  // a fork does not inherit its parent's
      for (;;) ::pause();
    }
    if (word == 'f') (void)!::write(answers, &mate, sizeof mate);
    scratch::say(answers);
  }
}

struct Session {
  scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  scratch::Child leader{in_own_session};
  ProcessRef ref, mate;

  Session() {
    REQUIRE(leader.answer() == '!');
    ref = leader.ref(cgroup.proc());
  }
  Session(const Session&) = delete;
  ~Session() {
    if (mate.pid > 0) ::kill(mate.pid, SIGKILL);
  }
  static bool can_be_had() { return std::filesystem::exists("/proc/self/autogroup"); }

  void order(char word) const {
    leader.tell(word);
    REQUIRE(leader.answer() == '!');
  }
  void give_it_a_mate() {
    leader.tell('f');
    for (std::size_t i = 0; i < sizeof mate.pid; ++i) reinterpret_cast<char*>(&mate.pid)[i] = leader.answer();
    REQUIRE(leader.answer() == '!');
    const auto born = read_process(cgroup.proc(), mate.pid);
    REQUIRE(born);
    mate.start_ticks = born->start_ticks;
    REQUIRE(born->session == ref.pid);
  }
  Autogroup autogroup_of(const ProcessRef& process) const {
    const auto found = read_autogroup(cgroup.proc(), process.pid);
    REQUIRE(found);
    return *found;
  }
  int nice() const { return autogroup_of(ref).nice; }
  Result<bool> lower(const ProcessRef& process) {
    return lower_autogroup(journal, cgroup.proc(), process, scratch::soon_ns());
  }
  int entry_of(const ProcessRef& process) const {
    return journal.find_process(EntryKind::autogroup, process.pid, autogroup_of(process).number, process.start_ticks);
  }
};

Members members_of_session(std::initializer_list<int> pids, int session) {
  Members members;
  for (const int pid : pids) {
    Member member;
    member.pid = pid;
    member.session = session;
    members.push_back(member);
  }
  return members;
}

}  // namespace

TEST_CASE("an autogroup is read as the kernel prints it, and nothing else is taken for one") {
  const auto read = parse_autogroup("/autogroup-1004 nice -5\n");
  REQUIRE(read);
  CHECK(read->number == 1004);
  CHECK(read->nice == -5);
  CHECK(parse_autogroup("/autogroup-0 nice 19")->nice == 19);
  for (const char* hostile : {"",
                              "\n",
                              "/",
                              "/autogroup-",
                              "/autogroup- nice 0",
                              "/autogroup-1",
                              "/autogroup-1 nice",
                              "/autogroup-1 nice \n",
                              "/autogroup-1 nice 20",
                              "/autogroup-1 nice -21",
                              "/autogroup-1 nice 0x1",
                              "/autogroup-1 nice 1.5",
                              "/autogroup-1 mice 0",
                              "/autogroup-99999999999999999999 nice 0",
                              "/autogroup-1 nice 99999999999999999999",
                              "/autogroup--1 nice 0",
                              "/autogroup-1x nice 0",
                              " /autogroup-1 nice 0",
                              "autogroup-1 nice 0",
                              "/autogroup-1\nnice 0"}) {
    INFO(hostile);
    CHECK_FALSE(parse_autogroup(hostile));
  }
  CHECK_FALSE(parse_autogroup(std::string_view("/autogroup-1\0 nice 0", 20)));
}

TEST_CASE("a session is owned when nobody of it, as far as can be seen, is outside of what is held") {
  auto proc = open_directory(AT_FDCWD, "/proc");
  REQUIRE(proc);
  // The test's own session may have begun outside of its PID namespace, where getsid() tells 0.
  const scratch::Child child(in_own_session);
  REQUIRE(child.answer() == '!');
  const int session = child.pid();
  const ProcessRef leader{session, 1}, first{1000001, 1}, second{1000002, 1};
  const Members members = members_of_session({first.pid, second.pid}, session);
  CHECK_FALSE(owns_session(*proc, 0, members, std::array{leader, first, second}));  // kernel threads
  CHECK(owns_session(*proc, session, members, std::array{leader, first, second}));
  CHECK_FALSE(owns_session(*proc, session, members, std::array{leader, first}));
  CHECK_FALSE(owns_session(*proc, session, members, std::array{first, second}));  // its leader lives outside
  // The leader has ended: who is left in the unit tells. 4194304 is the kernel's highest pid_max.
  const Members orphans = members_of_session({first.pid, second.pid}, 4194305);
  CHECK(owns_session(*proc, 4194305, orphans, std::array{first, second}));
  CHECK_FALSE(owns_session(*proc, 4194305, orphans, std::array{first}));
  // Other sessions of the unit do not matter.
  CHECK(owns_session(*proc, 4194306, orphans, std::array{first}));
}

TEST_CASE("a session's autogroup goes to nice 19 and comes back") {
  if (!Session::can_be_had()) HOSA_SKIP("a kernel without CONFIG_SCHED_AUTOGROUP");
  Session session;
  const int before = session.nice();
  SECTION("as it was made") {
    REQUIRE(before == 0);
  }
  SECTION("as somebody had set it") {
    session.order('n');
    REQUIRE(session.nice() == 7);
  }
  const int standing = session.nice();
  REQUIRE(*session.lower(session.ref));
  CHECK(session.nice() == 19);
  CHECK(session.journal.held_count() == 1);
  CHECK_FALSE(*session.lower(session.ref));  // the next pass finds nothing new
  CHECK(session.journal.held_count() == 1);
  CHECK(undo_all(session.journal, session.cgroup.roots(), false)[Undone::restored] == 1);
  CHECK(session.nice() == standing);
  CHECK(session.journal.held_count() == 0);
}

TEST_CASE("S4: another nice than ours is somebody's, and one at 19 before us stays there") {
  if (!Session::can_be_had()) HOSA_SKIP("a kernel without CONFIG_SCHED_AUTOGROUP");
  Session session;
  SECTION("set by somebody meanwhile") {
    REQUIRE(*session.lower(session.ref));
    session.order('n');
    CHECK(undo_all(session.journal, session.cgroup.roots(), false)[Undone::somebodys] == 1);
    CHECK(session.nice() == 7);
  }
  SECTION("at 19 by somebody else's wish") {
    scratch::spill("/proc/" + std::to_string(session.ref.pid) + "/autogroup", "19");
    CHECK_FALSE(*session.lower(session.ref));
    CHECK(session.journal.held_count() == 0);
    CHECK(session.nice() == 19);
  }
}

TEST_CASE("two processes of one session both know what it had, whoever of them ends first") {
  if (!Session::can_be_had()) HOSA_SKIP("a kernel without CONFIG_SCHED_AUTOGROUP");
  Session session;
  session.order('n');
  session.give_it_a_mate();
  REQUIRE(*session.lower(session.ref));
  REQUIRE(*session.lower(session.mate));
  CHECK(session.journal.held_count() == 2);
  CHECK(session.journal.read(session.entry_of(session.mate))->old_value == "7");
  SECTION("both live: the first undo restores, the second finds it done") {
    const UndoReport report = undo_all(session.journal, session.cgroup.roots(), false);
    CHECK(report[Undone::restored] == 1);
    CHECK(report[Undone::already] == 1);
  }
  SECTION("the leader has ended and is forgotten") {
    session.leader.kill();
    CHECK(session.journal.forget_process(session.ref.pid, session.ref.start_ticks) == 1);
    CHECK(undo_all(session.journal, session.cgroup.roots(), false)[Undone::restored] == 1);
  }
  SECTION("the leader has ended unnoticed") {
    session.leader.kill();
    const UndoReport report = undo_all(session.journal, session.cgroup.roots(), false);
    CHECK(report[Undone::gone] == 1);
    CHECK(report[Undone::restored] == 1);
  }
  CHECK(session.autogroup_of(session.mate).nice == 7);
  CHECK(session.journal.held_count() == 0);
}

TEST_CASE("S2: who was born in a room of one that has ended gets back what that one had") {
  if (!Session::can_be_had()) HOSA_SKIP("a kernel without CONFIG_SCHED_AUTOGROUP");
  Session session;
  const auto& proc = session.cgroup.proc();
  const auto score = read_oom_score_adj(proc, session.ref.pid);
  REQUIRE(*idle_threads(session.journal, proc, session.ref, scratch::soon_ns()) == 1);
  REQUIRE(*offer_to_oom(session.journal, proc, session.ref, scratch::soon_ns()));
  REQUIRE(*session.lower(session.ref));
  session.give_it_a_mate();
  REQUIRE(is_idle(scheduling_policy(session.mate.pid)));
  REQUIRE(session.autogroup_of(session.mate).nice == 19);
  std::filesystem::create_directory(session.cgroup.path("hosa.hold"));
  session.cgroup.set("hosa.hold/cgroup.procs", std::to_string(session.mate.pid));
  session.leader.kill();
  const ProcessRef held[] = {session.ref};
  CHECK(undo_processes(session.journal, session.cgroup.roots(), held, session.cgroup.leaker()) == 1);
  CHECK(scheduling_policy(session.mate.pid) == 0);
  CHECK(read_oom_score_adj(proc, session.mate.pid) == score);
  CHECK(session.autogroup_of(session.mate).nice == 0);
  CHECK(session.journal.held_count() == 0);
}

TEST_CASE("S1: with a full journal no autogroup is touched") {
  if (!Session::can_be_had()) HOSA_SKIP("a kernel without CONFIG_SCHED_AUTOGROUP");
  Session session;
  JournalEntry filler;
  filler.kind = EntryKind::room;
  while (session.journal.remember(filler)) {
  }
  CHECK(session.lower(session.ref).error().code == ENOSPC);
  CHECK(session.nice() == 0);
}

TEST_CASE("S5: the autogroup of a process that has gone, or is another one by now, is not touched") {
  if (!Session::can_be_had()) HOSA_SKIP("a kernel without CONFIG_SCHED_AUTOGROUP");
  Session session;
  SECTION("another process has the pid") {
    ProcessRef former = session.ref;
    --former.start_ticks;
    CHECK(session.lower(former).error().code == ESRCH);
    CHECK(session.nice() == 0);
  }
  SECTION("it has gone") {
    session.leader.kill();
    CHECK_FALSE(session.lower(session.ref).value_or(false));
  }
  SECTION("it went to a session of its own since") {
    session.give_it_a_mate();
    REQUIRE(*session.lower(session.ref));
    const int entry = session.entry_of(session.ref);
    // The entry as it would be had the process left for another session: it names the number of the former one.
    JournalEntry former = *session.journal.read(entry);
    former.tid += 100000;
    session.journal.forget(entry);
    REQUIRE(session.journal.remember(former));
    CHECK(undo_all(session.journal, session.cgroup.roots(), false)[Undone::gone] == 1);
    CHECK(session.nice() == 19);
  }
  CHECK(session.journal.held_count() == 0);
}

TEST_CASE("an autogroup counts for who is in no cgroup of the cpu controller, as its cgroup file tells") {
  CHECK(outside_cpu_cgroups(""));  // a kernel without cgroups
  CHECK(outside_cpu_cgroups("0::/\n"));
  CHECK(outside_cpu_cgroups("0::/hosa.hold\n"));
  CHECK_FALSE(outside_cpu_cgroups("0::/system.slice/cron.service\n"));
  // Debian 10 with systemd's v1 hierarchies, and the same with everybody in the root of cpu
  CHECK_FALSE(
      outside_cpu_cgroups("4:memory:/\n3:cpu,cpuacct:/system.slice/cron.service\n0::/system.slice/cron.service\n"));
  CHECK(outside_cpu_cgroups("4:memory:/user.slice\n3:cpu,cpuacct:/\n1:name=systemd:/a\n0::/user.slice\n"));
  CHECK_FALSE(outside_cpu_cgroups("12:cpuset:/\n0::/a\n"));
}
