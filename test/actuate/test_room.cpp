#include "actuate/room.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include "actuate/undo.h"
#include "test/actuate/guest_cgroup.h"

using namespace hosa;

namespace {

// Counts in a shared page for ever: whether it runs can be seen. Told 'f' it forks one that counts as well.
struct Counter {
  uint64_t* counts =
      static_cast<uint64_t*>(::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  scratch::Child child{[this](int told, int answers) {
    scratch::say(answers);
    ::fcntl(told, F_SETFL, O_NONBLOCK);
    int slot = 0;
    for (;; __atomic_fetch_add(&counts[slot], 1, __ATOMIC_RELAXED)) {
      ::usleep(1000);
      if (slot != 0 || scratch::hear(told) != 'f') continue;
      const pid_t parent = ::getpid();
      if (::fork() == 0) {
        ::alarm(60);
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(0);
        slot = 1;
        scratch::say(answers);
      }
    }
  }};
  Counter() { REQUIRE(child.answer() == '!'); }
  ~Counter() {
    child.kill();
    ::munmap(counts, 4096);
  }
  uint64_t count(int slot) const { return __atomic_load_n(&counts[slot], __ATOMIC_RELAXED); }
  bool runs(int slot = 0) const {
    const uint64_t before = count(slot);
    return scratch::seconds_until(2, [&] { return count(slot) > before + 2; }) >= 0;
  }
  bool stands(int slot = 0) const {
    ::usleep(50'000);  // what was in flight
    const uint64_t before = count(slot);
    ::usleep(200'000);
    return count(slot) == before;
  }
};

bool frozen(const Room& room) {
  const auto state = read_cgroup_state(room.directory());
  return state && state->frozen;
}

Room room_of(const scratch::GuestCgroup& x, Journal& journal, const scratch::Child& child) {
  REQUIRE(make_room(journal, x.ref(), scratch::soon_ns()));
  const int pids[] = {child.pid()};
  const auto moved = move_in(x.directory(), pids);
  REQUIRE(moved);
  REQUIRE(*moved == 1);
  auto room = Room::open(x.directory());
  REQUIRE(room);
  return std::move(*room);
}

}  // namespace

TEST_CASE("S1: a room is in the journal, and with a full journal none is made") {
  const scratch::SameDescriptors same;
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  const auto entry = make_room(journal, cgroup.ref(), scratch::soon_ns());
  REQUIRE(entry);
  CHECK(journal.read(*entry)->kind == EntryKind::room);
  CHECK(journal.read(*entry)->path == scratch::kLeaker);
  CHECK(*make_room(journal, cgroup.ref(), scratch::soon_ns()) == *entry);  // ours stands there already
  REQUIRE(::rmdir(cgroup.path(kRoomName).c_str()) == 0);
  Journal full = scratch::journal_in_memory();
  JournalEntry filler;
  filler.kind = EntryKind::thread_policy;
  while (full.remember(filler)) {
  }
  CHECK(make_room(full, cgroup.ref(), scratch::soon_ns()).error().code == ENOSPC);
  CHECK_FALSE(std::filesystem::exists(cgroup.path(kRoomName)));
}

TEST_CASE("a hosa.hold that the journal does not know is somebody else's") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  REQUIRE(::mkdir(cgroup.path(kRoomName).c_str(), 0755) == 0);
  CHECK(make_room(journal, cgroup.ref(), scratch::soon_ns()).error().code == EEXIST);
  CHECK(journal.held_count() == 0);
  CHECK(std::filesystem::exists(cgroup.path(kRoomName)));
}

TEST_CASE("a room that cannot be made leaves no entry") {
  const scratch::CgroupFixture cgroup;
  Journal journal = scratch::journal_in_memory();
  const CgroupRef gone = cgroup.ref();
  std::filesystem::remove_all(cgroup.home() / "cgroup/system.slice/leaker.service");
  CHECK(make_room(journal, gone, scratch::soon_ns()).error().code == ENOENT);
  CHECK(journal.held_count() == 0);
  CHECK(Room::open(cgroup.leaker()).error().code == ENOENT);
  CHECK(close_room(cgroup.leaker()));  // there is none: done
}

TEST_CASE("who is in the room stands while it is frozen, its mate in X does not", "[.guest]") {
  const scratch::SameDescriptors same;
  const scratch::GuestCgroup x;
  Journal journal = scratch::journal_in_memory();
  const Counter culprit, mate;
  x.enter(culprit.child);
  x.enter(mate.child);
  const Room room = room_of(x, journal, culprit.child);
  CHECK(x.where(culprit.child) == x.path() + "/hosa.hold");
  CHECK(culprit.runs());
  REQUIRE(room.freeze());
  CHECK(scratch::seconds_until(2, [&] { return frozen(room); }) >= 0);
  CHECK(culprit.stands());
  CHECK(mate.runs());
  REQUIRE(room.thaw());
  CHECK(culprit.runs());
  REQUIRE(close_room(x.directory()));
}

TEST_CASE("S6: a room is left while frozen; everybody in it, also who was born there, runs in X again", "[.guest]") {
  const scratch::SameDescriptors same;
  const scratch::GuestCgroup x;
  Journal journal = scratch::journal_in_memory();
  const Counter culprit;
  x.enter(culprit.child);
  const Room room = room_of(x, journal, culprit.child);
  culprit.child.tell('f');
  REQUIRE(culprit.child.answer() == '!');
  static PidList inside;
  REQUIRE(room.members(inside));
  CHECK(inside.size() == 2);
  REQUIRE(room.freeze());
  CHECK(culprit.stands(1));
  REQUIRE(close_room(x.directory()));
  CHECK_FALSE(std::filesystem::exists(x.file("/hosa.hold")));
  CHECK(x.where(culprit.child) == x.path());
  CHECK(culprit.runs(0));
  CHECK(culprit.runs(1));
}

TEST_CASE("S2: a frozen room that a dead agent left is emptied and removed", "[.guest]") {
  const scratch::GuestCgroup x;
  Journal journal = scratch::journal_in_memory();
  const Counter culprit;
  x.enter(culprit.child);
  {
    const Room room = room_of(x, journal, culprit.child);
    REQUIRE(room.freeze());
  }
  CHECK(undo_all(journal, x.roots(), false)[Undone::restored] == 1);
  CHECK(journal.held_count() == 0);
  CHECK_FALSE(std::filesystem::exists(x.file("/hosa.hold")));
  CHECK(culprit.runs());
}

TEST_CASE("a room can be had in the root cgroup", "[.guest]") {
  const scratch::GuestCgroup x;
  Journal journal = scratch::journal_in_memory();
  const Counter culprit;
  REQUIRE(x.set_root("cgroup.procs", std::to_string(culprit.child.pid())));
  REQUIRE(make_room(journal, x.root_ref(), scratch::soon_ns()));
  const int pids[] = {culprit.child.pid()};
  CHECK(*move_in(x.root(), pids) == 1);
  CHECK(x.where(culprit.child) == "/hosa.hold");
  CHECK(undo_all(journal, x.roots(), false)[Undone::restored] == 1);
  CHECK(x.where(culprit.child) == "/");
  CHECK(culprit.runs());
}

TEST_CASE("a frozen process can still be killed, and its room be left", "[.guest]") {
  const scratch::GuestCgroup x;
  Journal journal = scratch::journal_in_memory();
  Counter culprit;
  x.enter(culprit.child);
  const Room room = room_of(x, journal, culprit.child);
  REQUIRE(room.freeze());
  culprit.child.kill();  // waits for it
  const int pids[] = {culprit.child.pid() == 0 ? 999999 : culprit.child.pid()};
  CHECK(*move_in(x.directory(), pids) == 0);  // gone meanwhile: not counted, no error
  CHECK(close_room(x.directory()));
}

TEST_CASE("what ran before us runs after us: who was stopped when moved is stopped when moved back", "[.guest]") {
  const scratch::GuestCgroup x;
  Journal journal = scratch::journal_in_memory();
  const Counter culprit;
  x.enter(culprit.child);
  culprit.child.signal(SIGSTOP);
  REQUIRE(culprit.child.becomes(x.proc(), 'T'));
  const Room room = room_of(x, journal, culprit.child);
  REQUIRE(room.freeze());
  REQUIRE(close_room(x.directory()));
  CHECK(culprit.child.becomes(x.proc(), 'T'));
  CHECK(culprit.stands());
}

TEST_CASE("where no room can be had the reason is told and nothing stays", "[.guest]") {
  const scratch::GuestCgroup x;
  Journal journal = scratch::journal_in_memory();
  const Counter culprit;
  x.enter(culprit.child);
  SECTION("max.descendants") {
    REQUIRE(x.set("/cgroup.max.descendants", "0"));
    CHECK(make_room(journal, x.ref(), scratch::soon_ns()).error().code == EAGAIN);
    CHECK(journal.held_count() == 0);
  }
  SECTION("a threaded domain") {
    x.make("/t");
    REQUIRE(x.set("/t/cgroup.type", "threaded"));
    REQUIRE(make_room(journal, x.ref(), scratch::soon_ns()));
    const int pids[] = {culprit.child.pid()};
    CHECK(move_in(x.directory(), pids).error().code == EOPNOTSUPP);
    (void)undo_all(journal, x.roots(), false);
    CHECK(journal.held_count() == 0);
    CHECK_FALSE(std::filesystem::exists(x.file("/hosa.hold")));
  }
  CHECK(culprit.runs());
}

TEST_CASE("S2: what was frozen in place is thawed", "[.guest]") {
  const scratch::GuestCgroup x;
  Journal journal = scratch::journal_in_memory();
  const Counter culprit;
  x.enter(culprit.child);
  JournalEntry entry;
  entry.kind = EntryKind::freeze_in_place;
  entry.file = CgroupFile::cgroup_freeze;
  entry.cgroup_id = x.ref().id;
  entry.path = std::string_view(x.path());
  entry.old_value = "0";
  entry.ours = "1";
  REQUIRE(journal.remember(entry));
  REQUIRE(write_value(x.directory(), CgroupFile::cgroup_freeze, "1"));
  CHECK(culprit.stands());
  CHECK(undo_all(journal, x.roots(), false)[Undone::restored] == 1);
  CHECK(culprit.runs());
}

TEST_CASE("S2: real limits are read back as they were written and given back", "[.guest]") {
  const scratch::GuestCgroup x;
  Journal journal = scratch::journal_in_memory();
  if (x.value("/memory.high").empty()) HOSA_SKIP("no memory controller at the root");
  for (const CgroupFile file : {CgroupFile::memory_high, CgroupFile::memory_swap_max, CgroupFile::pids_max}) {
    INFO(file_name(file));
    if (!read_value(x.directory(), file)) continue;  // memory.swap.max: kernels without swap accounting
    const char* wanted = file == CgroupFile::pids_max ? "77" : "268435456";
    const auto done = apply_limit(journal, x.ref(), file, wanted, scratch::soon_ns());
    REQUIRE(done);
    CHECK(*read_value(x.directory(), file) == wanted);
    CHECK(undo_entry(journal, done->entry, x.roots()) == Undone::restored);
    CHECK(*read_value(x.directory(), file) == "max");
  }
}
