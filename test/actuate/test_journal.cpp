#include <algorithm>
#include <random>

#include "actuate/journal.h"
#include "test/actuate/scratch.h"

using namespace hosa;
namespace layout = journal_layout;

namespace {

// Everything in it can be computed from k, so that a reader can tell a whole entry from a mixed one.
JournalEntry entry_of(uint64_t k) {
  JournalEntry entry;
  entry.kind = EntryKind::limit_file;
  entry.file = CgroupFile::memory_high;
  entry.cgroup_id = k;
  entry.path.append("/unit/").append_unsigned(k % 30);
  entry.old_value.append("old ").append_unsigned(k);
  entry.ours.append("ours ").append_unsigned(k);
  entry.deadline_ns = k * 1000;
  return entry;
}

bool is_whole(const JournalEntry& entry) {
  const JournalEntry expected = entry_of(entry.cgroup_id);
  const auto is_ours = [&](const ValueText& value) {
    return value == expected.ours.view() || value == FixedString<95>(expected.ours).append(" next").view();
  };
  return entry.path == expected.path && entry.old_value == expected.old_value && is_ours(entry.ours) &&
         (entry.ours_before.empty() || is_ours(entry.ours_before)) && entry.file == expected.file;
}

// Remembers, rewrites and forgets as fast as it can, until it is killed.
[[noreturn]] void write_for_ever(Journal& journal, uint64_t seed) {
  std::minstd_rand random(static_cast<unsigned>(seed));
  for (uint64_t k = seed * 1'000'000;; ++k) {
    const auto index = journal.remember(entry_of(k));
    if (!index) {
      for (int i = 0; i < Journal::capacity(); ++i) {
        if (random() % 3 != 0) journal.forget(i);
      }
      continue;
    }
    const auto next = FixedString<95>(entry_of(k).ours).append(" next");
    if (random() % 2 == 0) (void)journal.set_ours(*index, next.view());
    if (random() % 4 == 0) journal.forget(*index);
  }
}

// Looks at everything there is, with indices that are none as well; answers how many entries verify.
int look_at_all(Journal& journal) {
  int whole = 0;
  for (int i = -3; i < Journal::capacity() + 3; ++i) {
    (void)journal.state(i);
    if (journal.read(i)) ++whole;
  }
  (void)journal.held_count();
  (void)journal.find(EntryKind::limit_file, CgroupFile::memory_high, 7);
  (void)journal.find_process(EntryKind::stopped, 1, 0, 1);
  (void)journal.audit().oldest();
  return whole;
}

std::string journal_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("S1: an entry is in the journal whole or not at all, whenever its writer is killed") {
  const scratch::SameDescriptors same;
  Journal journal = scratch::journal_in_memory();
  std::minstd_rand random(20261121);
  int seen = 0;
  for (uint64_t round = 1; round <= 100; ++round) {
    scratch::Child writer([&](int, int answers) {
      scratch::say(answers);
      write_for_ever(journal, round);
    });
    REQUIRE(writer.answer() == '!');
    ::usleep(static_cast<useconds_t>(random() % 3000));
    writer.kill();
    for (int i = 0; i < Journal::capacity(); ++i) {
      if (journal.state(i) == EntryState::free) continue;
      const auto entry = journal.read(i);
      REQUIRE(entry);
      REQUIRE(is_whole(*entry));
      ++seen;
      if (random() % 2 == 0) journal.forget(i);
    }
  }
  CHECK(seen > 1000);  // else nothing was tried
}

TEST_CASE("S1: the next agent of the same boot reads what the dead one left") {
  const scratch::SameDescriptors same;
  const scratch::Directory home;
  {
    auto journal = Journal::open((home / "run").c_str(), scratch::kBoot);
    REQUIRE(journal);
    CHECK(std::string(journal->dropped_because()).empty());
    REQUIRE(journal->remember(entry_of(7)));
  }
  auto journal = Journal::open((home / "run").c_str(), scratch::kBoot);
  REQUIRE(journal);
  REQUIRE(journal->held_count() == 1);
  CHECK(is_whole(*journal->read(0)));
}

TEST_CASE("S1: the journal of another boot is dropped unread") {
  const scratch::Directory home;
  REQUIRE(Journal::open(home.c_str(), scratch::kBoot)->remember(entry_of(7)));
  auto journal = Journal::open(home.c_str(), scratch::kOtherBoot);
  REQUIRE(journal);
  CHECK(journal->held_count() == 0);
  CHECK(std::string(journal->dropped_because()) == "it is from another boot");
  CHECK(look_at_all(*journal) == 0);
}

TEST_CASE("a journal of another size or kind is dropped") {
  const scratch::Directory home;
  scratch::spill(home / "journal", "hosajrnl of something else");
  auto shorter = Journal::open(home.c_str(), scratch::kBoot);
  REQUIRE(shorter);
  CHECK(std::string(shorter->dropped_because()) == "it has another size");
  CHECK(look_at_all(*shorter) == 0);
  scratch::spill(home / "other", "");
  std::filesystem::create_directory(home / "garbage");
  scratch::spill(home / "garbage/journal", std::string(sizeof(layout::File), '\xff'));
  auto garbage = Journal::open((home / "garbage").c_str(), scratch::kBoot);
  REQUIRE(garbage);
  CHECK(std::string(garbage->dropped_because()) == "it is no journal");
  CHECK(look_at_all(*garbage) == 0);
}

TEST_CASE("whatever byte of a journal is damaged, no reader crashes and no wrong value comes out") {
  const scratch::SameDescriptors same;
  const scratch::Directory home;
  {
    auto journal = Journal::open(home.c_str(), scratch::kBoot);
    REQUIRE(journal);
    const auto index = journal->remember(entry_of(7));
    REQUIRE(index);
    REQUIRE(journal->set_ours(*index, "ours 7 next"));
  }
  const std::string good = journal_bytes(home / "journal");
  REQUIRE(good.size() == sizeof(layout::File));
  const auto from = [](std::size_t start, std::size_t size, std::size_t step, auto& out) {
    for (std::size_t i = 0; i < size; i += step) out.push_back(start + i);
  };
  std::vector<std::size_t> places;
  from(0, sizeof(layout::Header), 1, places);
  from(offsetof(layout::File, states), 8, 1, places);
  from(offsetof(layout::File, paths), sizeof(layout::Path), 3, places);
  from(offsetof(layout::File, entries), sizeof(layout::Entry), 1, places);
  from(offsetof(layout::File, audit), 32, 1, places);
  std::minstd_rand random(7);
  for (const std::size_t place : places) {
    std::string bad = good;
    bad[place] = static_cast<char>(bad[place] ^ static_cast<char>(1u << (random() % 8)));
    scratch::spill(home / "journal", bad);
    auto journal = Journal::open(home.c_str(), scratch::kBoot);
    REQUIRE(journal);
    const int whole = look_at_all(*journal);
    REQUIRE(whole <= 1);
    if (const auto entry = journal->read(0)) REQUIRE(is_whole(*entry));
    (void)journal->drop_damaged();
    REQUIRE(journal->held_count() == whole);
  }
}

TEST_CASE("paths and kinds that point outside are not followed, even with a matching checksum") {
  // A hostile file can compute the checksum as well as we do; then the bounds must hold by themselves.
  const scratch::Directory home;
  REQUIRE(Journal::open(home.c_str(), scratch::kBoot)->remember(entry_of(7)));
  const std::string good = journal_bytes(home / "journal");
  const auto try_with = [&](auto&& change) {
    std::string bad = good;
    layout::Entry entry;
    char* const at = bad.data() + offsetof(layout::File, entries);
    std::memcpy(static_cast<void*>(&entry), at, sizeof entry);
    change(entry);
    uint64_t sum = 0xcbf29ce484222325;
    const auto* bytes = reinterpret_cast<const unsigned char*>(&entry);
    for (std::size_t i = 0; i < offsetof(layout::Entry, checksum); ++i) sum = (sum ^ bytes[i]) * 0x100000001b3;
    entry.checksum = sum;
    std::memcpy(at, &entry, sizeof entry);
    scratch::spill(home / "journal", bad);
    return Journal::open(home.c_str(), scratch::kBoot)->read(0).has_value();
  };
  CHECK(try_with([](layout::Entry&) {}));
  CHECK_FALSE(try_with([](layout::Entry& e) { e.path_index = layout::kPaths; }));
  CHECK_FALSE(try_with([](layout::Entry& e) { e.path_index = INT32_MAX; }));
  CHECK_FALSE(try_with([](layout::Entry& e) { e.path_index = 1; }));  // an empty slot: its checksum does not match
  CHECK_FALSE(try_with([](layout::Entry& e) { e.kind = 0; }));
  CHECK_FALSE(try_with([](layout::Entry& e) { e.kind = 200; }));
  CHECK_FALSE(try_with([](layout::Entry& e) { e.file = 200; }));
  CHECK_FALSE(try_with([](layout::Entry& e) { std::memset(e.old_value, 'x', sizeof e.old_value); }));
}

TEST_CASE("whoever has gone is forgotten whole, and nobody else with it") {
  Journal journal = scratch::journal_in_memory();
  const auto remember = [&](EntryKind kind, int pid, int tid, uint64_t start_ticks) {
    JournalEntry entry;
    entry.kind = kind;
    entry.pid = pid;
    entry.tid = tid;
    entry.start_ticks = start_ticks;
    return *journal.remember(entry);
  };
  remember(EntryKind::thread_policy, 7, 7, 100);
  remember(EntryKind::thread_policy, 7, 8, 100);
  const int score = remember(EntryKind::oom_score_adj, 7, 0, 100);
  journal.mark_returned(score);
  const int earlier = remember(EntryKind::thread_policy, 7, 7, 99);  // the same pid, another process
  const int other = remember(EntryKind::autogroup, 8, 5, 100);
  const int cgroup = *journal.remember(entry_of(3));
  CHECK(journal.forget_process(7, 100) == 3);
  CHECK(journal.forget_process(7, 100) == 0);
  CHECK(journal.held_count() == 3);
  for (const int index : {earlier, other, cgroup}) CHECK(journal.read(index));
}

TEST_CASE("entries of a kind are found by their number, at any index") {
  Journal journal = scratch::journal_in_memory();
  JournalEntry entry;
  entry.kind = EntryKind::autogroup;
  entry.pid = 7;
  entry.tid = 1004;
  const int index = *journal.remember(entry);
  CHECK(journal.is_of(index, EntryKind::autogroup, 1004));
  CHECK_FALSE(journal.is_of(index, EntryKind::autogroup, 1005));
  CHECK_FALSE(journal.is_of(index, EntryKind::thread_policy, 1004));
  journal.mark_returned(index);
  CHECK(journal.is_of(index, EntryKind::autogroup, 1004));
  journal.forget(index);
  CHECK_FALSE(journal.is_of(index, EntryKind::autogroup, 1004));
  for (const int none : {-1, -2147483647, Journal::capacity(), 2147483647})
    CHECK_FALSE(journal.is_of(none, EntryKind::autogroup, 0));
}

TEST_CASE("S1: a full journal refuses, so that the caller does nothing") {
  Journal journal = scratch::journal_in_memory();
  JournalEntry entry;
  entry.kind = EntryKind::thread_policy;
  entry.pid = 1;
  int count = 0;
  while (journal.remember(entry)) ++count;
  CHECK(count == layout::kAgentEntries);
  CHECK(journal.remember(entry).error().code == ENOSPC);
  journal.become_keeper();  // its own range is not touched by a greedy agent
  CHECK(journal.remember(entry));
}

TEST_CASE("S1: what does not fit is refused, not cut") {
  Journal journal = scratch::journal_in_memory();
  JournalEntry entry = entry_of(7);
  entry.old_value = std::string_view(std::string(200, 'x'));
  CHECK(journal.remember(entry).error().code == E2BIG);
  entry = entry_of(7);
  entry.path = std::string_view("/" + std::string(layout::kPathBytes, 'p'));
  CHECK(journal.remember(entry).error().code == E2BIG);
  entry = entry_of(7);
  for (uint64_t k = 0; k < layout::kAgentPaths; ++k) {
    entry.cgroup_id = k;
    REQUIRE(journal.remember(entry));
  }
  entry.cgroup_id = 1000;
  CHECK(journal.remember(entry).error().code == ENOSPC);
  journal.forget(0);
  CHECK(journal.remember(entry));  // the path of a forgotten entry makes room
  CHECK(journal.held_count() == layout::kAgentPaths);
}

TEST_CASE("a rewrite keeps the value before it, and only that") {
  Journal journal = scratch::journal_in_memory();
  const int index = *journal.remember(entry_of(7));
  CHECK(journal.read(index)->ours_before.empty());
  REQUIRE(journal.set_ours(index, "second"));
  CHECK(journal.read(index)->ours == "second");
  CHECK(journal.read(index)->ours_before == "ours 7");
  REQUIRE(journal.set_ours(index, "third"));
  CHECK(journal.read(index)->ours == "third");
  CHECK(journal.read(index)->ours_before == "second");
  journal.renew(index, 99);
  CHECK(journal.read(index)->deadline_ns == 99);
  journal.forget(index);
  CHECK_FALSE(journal.set_ours(index, "fourth"));
}

TEST_CASE("two agents cannot have one journal") {
  const scratch::SameDescriptors same;
  const scratch::Directory home;
  auto first = Journal::open(home.c_str(), scratch::kBoot);
  REQUIRE(first);
  CHECK(Journal::open(home.c_str(), scratch::kBoot).error().code == EAGAIN);
  const char* const places[] = {home.c_str()};
  CHECK(Journal::open_first(places, scratch::kBoot).error().code == EAGAIN);  // and no second one in memory
}

TEST_CASE("a run directory that others may write to is not trusted") {
  const scratch::Directory home;
  REQUIRE(::mkdir((home / "open").c_str(), 0700) == 0);
  REQUIRE(::chmod((home / "open").c_str(), 0777) == 0);
  CHECK(Journal::open((home / "open").c_str(), scratch::kBoot).error().code == EPERM);
  REQUIRE(::symlink("elsewhere", (home / "journal").c_str()) == 0);
  CHECK(Journal::open(home.c_str(), scratch::kBoot).error().code == ELOOP);
  REQUIRE(::symlink(home.c_str(), (home / "link").c_str()) == 0);
  CHECK_FALSE(Journal::open((home / "link").c_str(), scratch::kBoot));
}

TEST_CASE("where no directory can be had the journal lives in memory") {
  const scratch::SameDescriptors same;
  const scratch::Directory home;
  scratch::spill(home / "file", "");
  const std::string below = home / "file/hosa";
  const char* const places[] = {below.c_str(), "/proc/hosa"};
  auto journal = Journal::open_first(places, scratch::kBoot);
  REQUIRE(journal);
  CHECK(journal->directory().empty());
  CHECK(journal->remember(entry_of(7)));
}

TEST_CASE("audit lines come out of the ring whole and in order, also around its end") {
  Journal journal = scratch::journal_in_memory();
  AuditRing ring = journal.audit();
  std::string written, taken;
  for (int i = 0; i < 3000; ++i) {
    const std::string line =
        "{\"line\":" + std::to_string(i) + "," + std::string(static_cast<std::size_t>(i % 97), '.') + "}\n";
    REQUIRE(ring.append(line));
    written += line;
    if (i % 100 != 99) continue;
    for (std::string_view piece = ring.oldest(); !piece.empty(); piece = ring.oldest()) {
      const std::size_t some = std::min<std::size_t>(piece.size(), 1000);  // a disk that takes only so much
      taken.append(piece.data(), some);
      ring.drop(some);
    }
  }
  CHECK(taken == written);
  CHECK(ring.lost() == 0);
}

TEST_CASE("a full audit ring counts what it loses and keeps what it has") {
  Journal journal = scratch::journal_in_memory();
  AuditRing ring = journal.audit();
  const std::string line(1023, 'a');
  int kept = 0;
  while (ring.append(line + "\n")) ++kept;
  CHECK(kept == 64);
  CHECK_FALSE(ring.append(line));
  CHECK(ring.lost() == 2);
  CHECK(ring.oldest().size() == layout::kAuditRingBytes);
  CHECK_FALSE(ring.append(std::string(layout::kAuditRingBytes + 1, 'x')));
}
