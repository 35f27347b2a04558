#include "actuate/undo.h"

#include "actuate/limit.h"
#include "actuate/room.h"
#include "test/actuate/scratch.h"

using namespace hosa;

namespace {

int hold(Journal& journal, const scratch::CgroupFixture& cgroup, CgroupFile file, const char* value) {
  const auto done = apply_limit(journal, cgroup.ref(), file, value, scratch::soon_ns());
  REQUIRE(done);
  REQUIRE(done->written);
  return done->entry;
}

}  // namespace

TEST_CASE("S2: everything the journal lists is given back, and doing it twice changes nothing") {
  const scratch::SameDescriptors same;
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  hold(journal, cgroup, CgroupFile::memory_swap_max, "0");
  hold(journal, cgroup, CgroupFile::memory_high, "268435456");
  hold(journal, cgroup, CgroupFile::pids_max, "20");
  hold(journal, cgroup, CgroupFile::cpu_weight, "10");
  hold(journal, cgroup, CgroupFile::cpu_max, "20000 100000");
  const UndoReport report = undo_all(journal, cgroup.roots(), false);
  CHECK(report[Undone::restored] == 5);
  CHECK(report.total() == 5);
  CHECK(cgroup.value("memory.swap.max") == "max");
  CHECK(cgroup.value("memory.high") == "max");
  CHECK(cgroup.value("pids.max") == "1145");
  CHECK(cgroup.value("cpu.weight") == "100");
  CHECK(cgroup.value("cpu.max") == "max 100000");
  CHECK(journal.held_count() == 0);
  CHECK(undo_all(journal, cgroup.roots(), false).total() == 0);
}

TEST_CASE("S2: cpu.shares of a v1 hierarchy go back by that hierarchy's root, and by no other") {
  const scratch::CgroupFixture cgroup;
  cgroup.set("cpu.shares", "1024");
  Journal journal = scratch::journal_in_memory();
  hold(journal, cgroup, CgroupFile::cpu_shares, "2");
  CHECK(cgroup.value("cpu.shares") == "2");
  const Roots without_v1{&cgroup.proc(), &cgroup.root()};
  CHECK(undo_all(journal, without_v1, false)[Undone::failed] == 1);
  CHECK(journal.held_count() == 1);
  const Roots v1_alone{&cgroup.proc(), nullptr, &cgroup.root()};
  CHECK(undo_all(journal, v1_alone, false)[Undone::restored] == 1);
  CHECK(cgroup.value("cpu.shares") == "1024");
}

TEST_CASE("S2: killed between journal and write, or between a rewrite's journal and write, all goes back") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  const int entry = hold(journal, cgroup, CgroupFile::memory_high, "268435456");
  SECTION("the write never happened") {
    cgroup.set("memory.high", "max");
    CHECK(undo_entry(journal, entry, cgroup.roots()) == Undone::already);
  }
  SECTION("the rewrite never happened") {
    REQUIRE(journal.set_ours(entry, "536870912"));
    CHECK(undo_entry(journal, entry, cgroup.roots()) == Undone::restored);
  }
  SECTION("the rewrite happened") {
    REQUIRE(rewrite_limit(journal, entry, cgroup.leaker(), "536870912"));
    CHECK(undo_entry(journal, entry, cgroup.roots()) == Undone::restored);
  }
  CHECK(cgroup.value("memory.high") == "max");
  CHECK(journal.held_count() == 0);
}

TEST_CASE("S4: what an administrator set meanwhile stays, and is counted") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  hold(journal, cgroup, CgroupFile::memory_high, "268435456");
  hold(journal, cgroup, CgroupFile::pids_max, "20");
  cgroup.set("memory.high", "1000000000");
  const UndoReport report = undo_all(journal, cgroup.roots(), false);
  CHECK(report[Undone::somebodys] == 1);
  CHECK(report[Undone::restored] == 1);
  CHECK(cgroup.value("memory.high") == "1000000000");
  CHECK(cgroup.value("pids.max") == "1145");
  CHECK(journal.held_count() == 0);
}

TEST_CASE("S5: another cgroup that has taken the name is left alone") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  hold(journal, cgroup, CgroupFile::memory_high, "268435456");
  const std::string unit = cgroup.home() / "cgroup/system.slice/leaker.service";
  std::filesystem::rename(unit, unit + ".old");
  std::filesystem::create_directory(unit);
  scratch::spill(unit + "/memory.high", "268435456\n");  // by chance the same value
  const UndoReport report = undo_all(journal, cgroup.roots(), false);
  CHECK(report[Undone::gone] == 1);
  CHECK(scratch::slurp(unit + "/memory.high") == "268435456");
}

TEST_CASE("a cgroup that has gone needs nothing back") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  hold(journal, cgroup, CgroupFile::memory_high, "268435456");
  std::filesystem::remove_all(cgroup.home() / "cgroup/system.slice/leaker.service");
  CHECK(undo_all(journal, cgroup.roots(), false)[Undone::gone] == 1);
  CHECK(journal.held_count() == 0);
}

TEST_CASE("a journal whose paths lead upward opens nothing") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  const std::string outside = cgroup.home() / "outside";
  std::filesystem::create_directory(outside);
  scratch::spill(outside + "/memory.high", "ours\n");
  auto directory = open_directory(AT_FDCWD, outside.c_str());
  JournalEntry entry;
  entry.file = CgroupFile::memory_high;
  entry.cgroup_id = scratch::CgroupFixture::id_of(*directory);
  entry.old_value = "max";
  entry.ours = "ours";
  for (const char* path : {"/../outside", "../outside", "/system.slice/../../outside"}) {
    entry.path = path;
    REQUIRE(journal.remember(entry));
  }
  (void)undo_all(journal, cgroup.roots(), false);
  CHECK(scratch::slurp(outside + "/memory.high") == "ours");
}

TEST_CASE("a cgroup frozen in place is thawed, unless it was frozen before or thawed since") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  JournalEntry entry;
  entry.kind = EntryKind::freeze_in_place;
  entry.file = CgroupFile::cgroup_freeze;
  entry.cgroup_id = cgroup.ref().id;
  entry.path = scratch::kLeaker;
  entry.old_value = "0";
  entry.ours = "1";
  REQUIRE(journal.remember(entry));
  SECTION("frozen by us") {
    cgroup.set("cgroup.freeze", "1");
    CHECK(undo_all(journal, cgroup.roots(), false)[Undone::restored] == 1);
  }
  SECTION("thawed between pulses") {
    CHECK(undo_all(journal, cgroup.roots(), false)[Undone::already] == 1);
  }
  CHECK(cgroup.value("cgroup.freeze") == "0");
}

TEST_CASE("S2: a write that a stopped agent makes after it was given back is undone when it accepts that") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  JournalEntry entry;
  entry.file = CgroupFile::memory_high;
  entry.cgroup_id = cgroup.ref().id;
  entry.path = scratch::kLeaker;
  entry.old_value = "max";
  entry.ours = "268435456";
  REQUIRE(journal.remember(entry));  // here it is stopped
  CHECK(undo_all(journal, cgroup.roots(), true)[Undone::already] == 1);
  journal.count_give_back();
  CHECK(journal.held_count() == 1);
  CHECK(journal.state(0) == EntryState::returned);
  cgroup.set("memory.high", "268435456");  // here it goes on
  SECTION("the keeper looks again") {
    CHECK(undo_all(journal, cgroup.roots(), true)[Undone::restored] == 1);
    CHECK(journal.held_count() == 1);
  }
  SECTION("the agent's next tick") {
    REQUIRE(journal.gave_back());
    accept_give_back(journal, cgroup.roots());
    CHECK(journal.held_count() == 0);
    CHECK_FALSE(journal.gave_back());
  }
  SECTION("the agent is killed first") {
    CHECK(undo_all(journal, cgroup.roots(), false)[Undone::restored] == 1);
    CHECK(journal.held_count() == 0);
  }
  CHECK(cgroup.value("memory.high") == "max");
}

TEST_CASE("S2: what ran out is given back, what was renewed is not") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  const int high = hold(journal, cgroup, CgroupFile::memory_high, "268435456");
  hold(journal, cgroup, CgroupFile::pids_max, "20");
  journal.renew(high, 1000);
  CHECK(undo_expired(journal, cgroup.roots(), 999).total() == 0);
  CHECK(undo_expired(journal, cgroup.roots(), 1000)[Undone::restored] == 1);
  CHECK(cgroup.value("memory.high") == "max");
  CHECK(cgroup.value("pids.max") == "20");
}

TEST_CASE("S5: the entry of a process that has gone touches nobody who has its pid now") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  const scratch::Child child([](int told, int) { scratch::hear(told); });
  const ProcessRef somebody = child.ref(cgroup.proc());
  REQUIRE(set_scheduling_policy(child.pid(), kSchedIdle));
  child.signal(SIGSTOP);
  REQUIRE(child.becomes(cgroup.proc(), 'T'));
  JournalEntry entry;
  entry.pid = entry.tid = somebody.pid;
  entry.start_ticks = somebody.start_ticks - 1;  // an earlier owner of the pid
  entry.kind = EntryKind::thread_policy;
  entry.old_value = "0";
  entry.ours = "5";
  REQUIRE(journal.remember(entry));
  entry.kind = EntryKind::stopped;
  REQUIRE(journal.remember(entry));
  CHECK(undo_all(journal, cgroup.roots(), false)[Undone::gone] == 2);
  CHECK(scheduling_policy(child.pid()) == kSchedIdle);
  CHECK(child.state(cgroup.proc()) == 'T');
}

TEST_CASE("S5: a thread id that belongs to another process by now is left alone") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  const scratch::Child held([](int told, int) { scratch::hear(told); });
  const scratch::Child other([](int told, int) { scratch::hear(told); });
  REQUIRE(set_scheduling_policy(other.pid(), kSchedIdle));  // its own choice
  JournalEntry entry;
  entry.kind = EntryKind::thread_policy;
  entry.pid = held.pid();
  entry.start_ticks = held.ref(cgroup.proc()).start_ticks;
  entry.tid = other.pid();  // the held process had a thread of that number once
  entry.old_value = "0";
  entry.ours = "5";
  REQUIRE(journal.remember(entry));
  CHECK(undo_all(journal, cgroup.roots(), false)[Undone::gone] == 1);
  CHECK(scheduling_policy(other.pid()) == kSchedIdle);
}
