#include "actuate/limit.h"
#include "test/actuate/scratch.h"

using namespace hosa;

TEST_CASE("a limit is written, journalled, and the value before it is kept") {
  const scratch::SameDescriptors same;
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  const auto done = apply_limit(journal, cgroup.ref(), CgroupFile::memory_high, "268435456", scratch::soon_ns());
  REQUIRE(done);
  CHECK(done->written);
  CHECK(done->old_value == "max");
  CHECK(cgroup.value("memory.high") == "268435456");
  const auto entry = journal.read(done->entry);
  REQUIRE(entry);
  CHECK(entry->path == scratch::kLeaker);
  CHECK(entry->cgroup_id == cgroup.ref().id);
  CHECK(entry->old_value == "max");
  CHECK(entry->ours == "268435456");
}

TEST_CASE("S1: where the journal is full nothing is written") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  JournalEntry filler;
  filler.kind = EntryKind::thread_policy;
  while (journal.remember(filler)) {
  }
  const auto done = apply_limit(journal, cgroup.ref(), CgroupFile::memory_high, "268435456", scratch::soon_ns());
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ENOSPC);
  CHECK(cgroup.value("memory.high") == "max");
}

TEST_CASE("a write that fails leaves no entry behind") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  // A file that can be read and not written: root may write to any of ours, nobody to those of procfs that are facts.
  REQUIRE(::unlink(cgroup.path("pids.max").c_str()) == 0);
  REQUIRE(::symlink("/proc/sys/kernel/ngroups_max", cgroup.path("pids.max").c_str()) == 0);
  const auto done = apply_limit(journal, cgroup.ref(), CgroupFile::pids_max, "100", scratch::soon_ns());
  REQUIRE_FALSE(done);
  CHECK(journal.held_count() == 0);
}

TEST_CASE("without the controller there is no file, no limit and no entry") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  REQUIRE(::unlink(cgroup.path("memory.high").c_str()) == 0);
  const auto done = apply_limit(journal, cgroup.ref(), CgroupFile::memory_high, "268435456", scratch::soon_ns());
  REQUIRE_FALSE(done);
  CHECK(done.error().code == ENOENT);
  CHECK(journal.held_count() == 0);
  CHECK_FALSE(std::filesystem::exists(cgroup.path("memory.high")));
}

TEST_CASE("no limit is ever loosened") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  struct Case {
    CgroupFile file;
    const char* stands;
    const char* wanted;
    bool written;
  };
  const Case cases[] = {
      {CgroupFile::memory_high, "max", "268435456", true},
      {CgroupFile::memory_high, "134217728", "268435456", false},
      {CgroupFile::memory_high, "134217728", "134217728", false},
      {CgroupFile::memory_high, "134217728", "max", false},
      {CgroupFile::memory_swap_max, "max", "0", true},
      {CgroupFile::memory_swap_max, "0", "4096", false},
      {CgroupFile::pids_max, "1145", "1144", true},
      {CgroupFile::pids_max, "9", "10", false},  // as numbers, not as texts
      {CgroupFile::cpu_weight, "100", "10", true},
      {CgroupFile::cpu_weight, "5", "10", false},
      {CgroupFile::cpu_max, "max 100000", "20000 100000", true},
      {CgroupFile::cpu_max, "10000 100000", "20000 100000", false},
      {CgroupFile::cpu_max, "20000 100000", "max 100000", false},
      {CgroupFile::cpu_max, "50000 1000000", "20000 100000", false},  // 5 % stands, 20 % would be looser
      {CgroupFile::cpu_max, "10000 20000", "20000 100000", true},     // 50 % stands
      {CgroupFile::pids_max, "rubbish", "10", false},
      {CgroupFile::pids_max, "", "10", false},
  };
  for (const Case& c : cases) {
    INFO(file_name(c.file) << " stands at '" << c.stands << "', wanted '" << c.wanted << "'");
    cgroup.set(file_name(c.file), c.stands);
    const auto done = apply_limit(journal, cgroup.ref(), c.file, c.wanted, scratch::soon_ns());
    REQUIRE(done);
    CHECK(done->written == c.written);
    CHECK((done->entry >= 0) == c.written);
    CHECK(cgroup.value(file_name(c.file)) == (c.written ? c.wanted : c.stands));
  }
}

TEST_CASE("our own value is rewritten, upward too, and stays recognised") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  cgroup.set("memory.high", "1073741824");
  const int entry = apply_limit(journal, cgroup.ref(), CgroupFile::memory_high, "268435456", scratch::soon_ns())->entry;
  REQUIRE(rewrite_limit(journal, entry, cgroup.leaker(), "536870912"));
  CHECK(cgroup.value("memory.high") == "536870912");
  CHECK(journal.read(entry)->old_value == "1073741824");
  CHECK(owner_of(*journal.read(entry), "536870912") == Owner::ours);
  CHECK(owner_of(*journal.read(entry), "268435456") == Owner::ours);  // killed between journal and write: that stands
  REQUIRE(rewrite_limit(journal, entry, cgroup.leaker(), "2147483648"));
  CHECK(cgroup.value("memory.high") == "536870912");  // looser than what stood there before us
}

TEST_CASE("S4: a value that went back is ours to write again, another one is somebody's") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  const int entry = apply_limit(journal, cgroup.ref(), CgroupFile::memory_high, "268435456", scratch::soon_ns())->entry;
  const auto owner = [&](const char* standing) { return owner_of(*journal.read(entry), standing); };
  CHECK(owner("268435456\n") == Owner::ours);
  CHECK(owner("max\n") == Owner::before_us);
  CHECK(owner("1000000") == Owner::somebody);
  CHECK(owner("") == Owner::somebody);
  cgroup.set("memory.high", "max");  // systemctl daemon-reload
  REQUIRE(rewrite_limit(journal, entry, cgroup.leaker(), "268435456"));
  CHECK(cgroup.value("memory.high") == "268435456");
  cgroup.set("memory.high", "1000000");  // the administrator
  CHECK(rewrite_limit(journal, entry, cgroup.leaker(), "300000000").error().code == ESTALE);
  CHECK(cgroup.value("memory.high") == "1000000");
}

TEST_CASE("nothing is rewritten that is not held") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  CHECK_FALSE(rewrite_limit(journal, 0, cgroup.leaker(), "4096"));
  CHECK_FALSE(rewrite_limit(journal, -1, cgroup.leaker(), "4096"));
  CHECK(cgroup.value("memory.high") == "max");
}

namespace {
// Our memory.high on a cgroup where "max" stood before.
struct HeldLine {
  scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  int entry = -1, rewrites = 0;

  HeldLine() {
    const auto done = apply_limit(journal, cgroup.ref(), CgroupFile::memory_high, "268435456", scratch::soon_ns());
    REQUIRE(done);
    entry = done->entry;
  }
  void set(const char* text) const { cgroup.set("memory.high", text); }
  Kept keep() { return keep_limit(journal, entry, *cgroup.ref().directory, rewrites); }
};
}  // namespace

TEST_CASE("S4: a value that went back to what it was before ours is written again, five times") {
  HeldLine line;
  CHECK(line.keep() == Kept::ours);
  for (int i = 0; i < kMostRewrites; ++i) {
    line.set("max");
    CHECK(line.keep() == Kept::written_again);
    CHECK(line.cgroup.value("memory.high") == "268435456");
  }
  line.set("max");
  CHECK(line.keep() == Kept::given_up);
  CHECK(line.cgroup.value("memory.high") == "max");
}

TEST_CASE("S4: an administrator's value stays, and is not ours to undo any more") {
  HeldLine line;
  line.set("943718400");
  CHECK(line.keep() == Kept::somebodys);
  CHECK(line.cgroup.value("memory.high") == "943718400");
  CHECK(line.journal.held_count() == 0);
}

TEST_CASE("S4: where the controller was switched off there is nothing to write, and the entry waits for it") {
  HeldLine line;
  REQUIRE(::unlink(line.cgroup.path("memory.high").c_str()) == 0);
  CHECK(line.keep() == Kept::absent);
  CHECK(line.journal.held_count() == 1);
}
