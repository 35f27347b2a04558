#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <thread>

#include "actuate/heirs.h"
#include "actuate/process_hold.h"
#include "proprioception/process_status.h"
#include "test/actuate/scratch.h"

using namespace hosa;

namespace {

// A child with two more threads. Told 't' it makes another one, 'f' forks a child that sleeps, 'n' makes itself nicer;
// it answers each word with '!'. At the end of the pipe it ends, its child with it.
void with_threads(int told, int answers) {
  const auto sleep_for_ever = [] {
    for (;;) ::pause();
  };
  std::thread(sleep_for_ever).detach();
  std::thread(sleep_for_ever).detach();
  pid_t born = 0;
  scratch::say(answers);
  for (char word = scratch::hear(told); word != 0; word = scratch::hear(told)) {
    if (word == 't') std::thread(sleep_for_ever).detach();
    if (word == 'n') (void)::setpriority(PRIO_PROCESS, 0, 7);
    const pid_t parent = ::getpid();
    if (word == 'f' && (born = ::fork()) == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(0);  // killed before that was in force
      sleep_for_ever();
    }
    scratch::say(answers);
  }
}

std::vector<int> threads_of(int pid) {
  std::vector<int> tids;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task"))
    tids.push_back(std::stoi(entry.path().filename()));
  return tids;
}

int count_with_policy(int pid, int policy) {
  int count = 0;
  for (const int tid : threads_of(pid)) count += scheduling_policy(tid) == policy ? 1 : 0;
  return count;
}

int only_child_of(int pid) {
  const std::string id = std::to_string(pid);
  const std::string text = scratch::slurp("/proc/" + id + "/task/" + id + "/children");
  return text.empty() ? 0 : std::stoi(text);
}

struct Held {
  scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  scratch::Child child{with_threads};
  ProcessRef ref;
  Held() {
    REQUIRE(child.answer() == '!');
    ref = child.ref(cgroup.proc());
  }
  int idle() {
    const auto changed = idle_threads(journal, cgroup.proc(), ref, scratch::soon_ns());
    REQUIRE(changed);
    return *changed;
  }
  void order(char word) const {
    child.tell(word);
    REQUIRE(child.answer() == '!');
  }
  UndoReport undo() { return undo_all(journal, cgroup.roots(), false); }
};

}  // namespace

TEST_CASE("SCHED_IDLE comes to every thread of a process and leaves every thread again") {
  const scratch::SameDescriptors same;
  Held held;
  REQUIRE(::setpriority(PRIO_PROCESS, static_cast<id_t>(held.ref.pid), 5) == 0);
  CHECK(held.idle() == 3);
  CHECK(count_with_policy(held.ref.pid, kSchedIdle) == 3);
  CHECK(held.journal.held_count() == 3);
  CHECK(held.idle() == 0);  // the next pass finds nothing new
  CHECK(held.journal.held_count() == 3);
  CHECK(held.undo()[Undone::restored] == 3);
  CHECK(count_with_policy(held.ref.pid, 0) == 3);
  CHECK(::getpriority(PRIO_PROCESS, static_cast<id_t>(held.ref.pid)) == 5);
}

TEST_CASE("a process known to have one thread is made SCHED_IDLE once, is known to be, and is given back") {
  Held held;
  REQUIRE_FALSE(is_idled(held.journal, held.ref));
  CHECK(*idle_threads(held.journal, held.cgroup.proc(), held.ref, scratch::soon_ns(), 1) == 1);
  CHECK(is_idled(held.journal, held.ref));
  CHECK(held.journal.held_count() == 1);
  SECTION("threads that it had in truth are found by the next look at all of them") {
    CHECK(held.idle() == 2);
    CHECK(count_with_policy(held.ref.pid, kSchedIdle) == 3);
  }
  CHECK(held.undo()[Undone::failed] == 0);
  CHECK_FALSE(is_idled(held.journal, held.ref));
  CHECK(count_with_policy(held.ref.pid, 0) == 3);
}

TEST_CASE("of a storm each is made SCHED_IDLE as it was just seen, journalled before, once") {
  Held held;
  const auto seen = read_process_stat(held.cgroup.proc(), held.ref.pid);
  REQUIRE(seen);
  REQUIRE(seen->start_ticks == held.ref.start_ticks);
  SECTION("and given back") {
    CHECK(*idle_just_seen(held.journal, *seen, scratch::soon_ns()));
    CHECK(is_idled(held.journal, held.ref));
    CHECK_FALSE(*idle_just_seen(held.journal, *seen, scratch::soon_ns()));
    CHECK(held.journal.held_count() == 1);
    CHECK(held.undo()[Undone::restored] == 1);
    CHECK(count_with_policy(held.ref.pid, 0) == 3);
  }
  SECTION("who was idle before, or born so, is left as it is") {
    REQUIRE(set_scheduling_policy(held.ref.pid, kSchedIdle));
    CHECK_FALSE(*idle_just_seen(held.journal, *seen, scratch::soon_ns()));
    CHECK(held.journal.held_count() == 0);
  }
  SECTION("with a full journal nobody is touched") {
    JournalEntry filler;
    filler.kind = EntryKind::room;
    while (held.journal.remember(filler)) {
    }
    CHECK_FALSE(idle_just_seen(held.journal, *seen, scratch::soon_ns()));
    CHECK(count_with_policy(held.ref.pid, 0) == 3);
  }
}

TEST_CASE("each thread gets its own policy back, with its reset-on-fork") {
  constexpr int kBatch = 3, kResetOnFork = 0x40000000;
  Held held;
  const std::vector<int> tids = threads_of(held.ref.pid);
  REQUIRE(tids.size() == 3);
  REQUIRE(set_scheduling_policy(tids[1], kBatch));
  REQUIRE(set_scheduling_policy(tids[2], 0 | kResetOnFork));
  CHECK(held.idle() == 3);
  CHECK((scheduling_policy(tids[2]) & ~kResetOnFork) == kSchedIdle);
  held.undo();
  CHECK(scheduling_policy(tids[0]) == 0);
  CHECK(scheduling_policy(tids[1]) == kBatch);
  CHECK(scheduling_policy(tids[2]) == (0 | kResetOnFork));
}

TEST_CASE("real-time threads are not touched") {
  Held held;
  const std::vector<int> tids = threads_of(held.ref.pid);
  const int priority = 1;
  if (::syscall(SYS_sched_setscheduler, tids[1], SCHED_RR, &priority) != 0) HOSA_SKIP("real-time scheduling refused");
  CHECK(held.idle() == 2);
  CHECK(scheduling_policy(tids[1]) == SCHED_RR);
}

TEST_CASE("threads that were idle before us stay idle after us") {
  Held held;
  const std::vector<int> tids = threads_of(held.ref.pid);
  REQUIRE(set_scheduling_policy(tids[2], kSchedIdle));
  CHECK(held.idle() == 2);
  CHECK(held.idle() == 0);
  held.undo();
  CHECK(count_with_policy(held.ref.pid, 0) == 2);
  CHECK(scheduling_policy(tids[2]) == kSchedIdle);
}

TEST_CASE("S2: threads born while their process is held get back what it had") {
  Held held;
  held.idle();
  held.order('t');  // inherits SCHED_IDLE
  REQUIRE(count_with_policy(held.ref.pid, kSchedIdle) == 4);
  SECTION("seen by a pass") {
    held.idle();
  }
  SECTION("born since the last pass") {}
  held.undo();
  CHECK(count_with_policy(held.ref.pid, 0) == 4);
}

TEST_CASE("S2: children born by a held process get back what it had") {
  Held held;
  const auto score = read_oom_score_adj(held.cgroup.proc(), held.ref.pid);
  held.idle();
  REQUIRE(offer_to_oom(held.journal, held.cgroup.proc(), held.ref, scratch::soon_ns()));
  held.order('f');
  const int heir = only_child_of(held.ref.pid);
  REQUIRE(heir > 0);
  REQUIRE(scheduling_policy(heir) == kSchedIdle);
  REQUIRE(read_oom_score_adj(held.cgroup.proc(), heir) == 1000);
  held.undo();
  CHECK(scheduling_policy(heir) == 0);
  CHECK(read_oom_score_adj(held.cgroup.proc(), heir) == score);
  ::kill(heir, SIGKILL);
}

TEST_CASE("S2: a child whose held parent has ended gets back what that had, if it is named as kin") {
  Held held;
  held.idle();
  held.order('f');
  const int heir = only_child_of(held.ref.pid);
  REQUIRE(heir > 0);
  ::kill(held.ref.pid, SIGKILL);
  (void)scratch::seconds_until(2, [&] {
    return !hosa::read_process(held.cgroup.proc(), held.ref.pid) ||
           hosa::read_process(held.cgroup.proc(), heir)->parent != held.ref.pid;
  });
  const ProcessRef processes[] = {held.ref};
  SECTION("named") {
    const int kin[] = {heir};
    CHECK(undo_processes(held.journal, held.cgroup.roots(), processes, Fd(), kin) >= 1);
    CHECK(scheduling_policy(heir) == 0);
  }
  SECTION("not named: nobody knows him") {
    undo_processes(held.journal, held.cgroup.roots(), processes, Fd());
    CHECK(scheduling_policy(heir) == kSchedIdle);
  }
  ::kill(heir, SIGKILL);
}

TEST_CASE("a child born idle of a held process is journalled by the next pass, one idle by its own choice is not") {
  Held held;
  SECTION("born of a held one") {
    held.idle();
    held.order('f');
    const ProcessRef heir{only_child_of(held.ref.pid),
                          hosa::read_process(held.cgroup.proc(), only_child_of(held.ref.pid))->start_ticks};
    CHECK(*idle_threads(held.journal, held.cgroup.proc(), heir, scratch::soon_ns()) == 0);
    const int entry = held.journal.find_process(EntryKind::thread_policy, heir.pid, heir.pid, heir.start_ticks);
    CHECK(undo_entry(held.journal, entry, held.cgroup.roots()) ==
          Undone::restored);  // by itself, its parent stays held
    CHECK(scheduling_policy(heir.pid) == 0);
    CHECK(count_with_policy(held.ref.pid, kSchedIdle) == 3);
  }
  SECTION("idle as a whole before us") {
    for (const int tid : threads_of(held.ref.pid)) REQUIRE(set_scheduling_policy(tid, kSchedIdle));
    CHECK(held.idle() == 0);
    CHECK(held.journal.held_count() == 0);
    held.undo();
    CHECK(count_with_policy(held.ref.pid, kSchedIdle) == 3);
  }
}

TEST_CASE("S4: a thread that somebody gave another policy keeps that") {
  Held held;
  held.idle();
  REQUIRE(set_scheduling_policy(held.ref.pid, 3 /* SCHED_BATCH */));
  const UndoReport report = held.undo();
  CHECK(report[Undone::somebodys] == 1);
  CHECK(report[Undone::restored] == 2);
  CHECK(scheduling_policy(held.ref.pid) == 3);
}

TEST_CASE("nice set by somebody while a process is held stays") {
  Held held;
  held.idle();
  held.order('n');
  held.undo();
  CHECK(::getpriority(PRIO_PROCESS, static_cast<id_t>(held.ref.pid)) == 7);
}

TEST_CASE("oom_score_adj goes to 1000 and comes back") {
  Held held;
  const auto score = read_oom_score_adj(held.cgroup.proc(), held.ref.pid);
  REQUIRE(score);
  REQUIRE(*offer_to_oom(held.journal, held.cgroup.proc(), held.ref, scratch::soon_ns()));
  CHECK(read_oom_score_adj(held.cgroup.proc(), held.ref.pid) == 1000);
  CHECK_FALSE(*offer_to_oom(held.journal, held.cgroup.proc(), held.ref, scratch::soon_ns()));
  CHECK(held.journal.held_count() == 1);
  CHECK(held.undo()[Undone::restored] == 1);
  CHECK(read_oom_score_adj(held.cgroup.proc(), held.ref.pid) == score);
}

TEST_CASE("S4: another oom_score_adj than ours is somebody's") {
  Held held;
  REQUIRE(*offer_to_oom(held.journal, held.cgroup.proc(), held.ref, scratch::soon_ns()));
  const std::string path = "/proc/" + std::to_string(held.ref.pid) + "/oom_score_adj";
  scratch::spill(path, "500");
  CHECK(held.undo()[Undone::somebodys] == 1);
  CHECK(scratch::slurp(path) == "500");
}

TEST_CASE("a stopped process goes on after the undo, one that was stopped before us does not") {
  Held held;
  const auto stop = [&] { return *stop_process(held.journal, held.cgroup.proc(), held.ref, scratch::soon_ns()); };
  SECTION("stopped by us") {
    CHECK(stop());
    REQUIRE(held.child.becomes(held.cgroup.proc(), 'T'));
    CHECK_FALSE(stop());
    CHECK(held.undo().total() == 1);
    CHECK(scratch::seconds_until(2, [&] { return held.child.state(held.cgroup.proc()) == 'S'; }) >= 0);
  }
  SECTION("stopped by somebody else before") {
    held.child.signal(SIGSTOP);
    REQUIRE(held.child.becomes(held.cgroup.proc(), 'T'));
    CHECK_FALSE(stop());
    CHECK(held.undo().total() == 0);
    CHECK(held.child.state(held.cgroup.proc()) == 'T');
  }
  SECTION("pulses leave nothing behind") {
    for (int i = 0; i < 20; ++i) {
      stop();
      continue_process(held.journal, held.cgroup.proc(), held.ref);
    }
    CHECK(held.journal.held_count() == 0);
    CHECK(held.child.becomes(held.cgroup.proc(), 'S'));
  }
}

TEST_CASE("S5: a pid that is another process by now is not touched") {
  Held held;
  ProcessRef former = held.ref;
  --former.start_ticks;
  CHECK(idle_threads(held.journal, held.cgroup.proc(), former, scratch::soon_ns()).error().code == ESRCH);
  CHECK(idle_threads(held.journal, held.cgroup.proc(), former, scratch::soon_ns(), 1).error().code == ESRCH);
  CHECK(offer_to_oom(held.journal, held.cgroup.proc(), former, scratch::soon_ns()).error().code == ESRCH);
  CHECK(stop_process(held.journal, held.cgroup.proc(), former, scratch::soon_ns()).error().code == ESRCH);
  CHECK(held.journal.held_count() == 0);
  CHECK(count_with_policy(held.ref.pid, 0) == 3);
  CHECK(held.child.becomes(held.cgroup.proc(), 'S'));
}

TEST_CASE("S1: with a full journal no thread is touched") {
  Held held;
  JournalEntry filler;
  filler.kind = EntryKind::room;
  while (held.journal.remember(filler)) {
  }
  CHECK(idle_threads(held.journal, held.cgroup.proc(), held.ref, scratch::soon_ns()).error().code == ENOSPC);
  CHECK(count_with_policy(held.ref.pid, 0) == 3);
}

TEST_CASE("S6: everything that is done to a process, together, leaves it alive") {
  Held held;
  held.idle();
  REQUIRE(*offer_to_oom(held.journal, held.cgroup.proc(), held.ref, scratch::soon_ns()));
  REQUIRE(*stop_process(held.journal, held.cgroup.proc(), held.ref, scratch::soon_ns()));
  REQUIRE(held.child.becomes(held.cgroup.proc(), 'T'));
  CHECK(held.undo()[Undone::failed] == 0);
  CHECK(held.journal.held_count() == 0);
  held.order('n');  // it answers
}
