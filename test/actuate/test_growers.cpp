#include <algorithm>

#include "actuate/growers.h"
#include "test/catch.h"

using namespace hosa;

namespace {
constexpr double kMega = 1024 * 1024;
Member member(int pid, double megabytes, double gross = 0, int parent = 1) {
  Member m;
  m.pid = pid, m.parent = parent, m.start_ticks = 100, m.bytes = megabytes * kMega, m.gross_bytes = gross * kMega;
  return m;
}
Members members(std::initializer_list<Member> list) {
  Members out;
  for (const Member& m : list) out.push_back(m);
  return out;
}
bool chosen(const Growers& growers, int pid) {
  return std::find(growers.pids.begin(), growers.pids.end(), pid) != growers.pids.end();
}
}  // namespace

TEST_CASE("the one that leaks goes into the room, its mate does not") {
  const auto before = members({member(10, 20), member(11, 200)});
  const auto now = members({member(10, 120), member(11, 201)});
  const Growers growers = choose_growers(before, now, 101 * kMega);
  CHECK(chosen(growers, 10));
  CHECK_FALSE(chosen(growers, 11));
}

TEST_CASE("sixteen that leak together all go in") {
  Members before, now;
  for (int i = 0; i < 16; ++i) before.push_back(member(100 + i, 2)), now.push_back(member(100 + i, 12));
  CHECK(choose_growers(before, now, 160 * kMega).pids.size() == 16);
}

TEST_CASE(
    "a relay's parent goes in with the children it bore since onset, a bystanding parent of an old child does not") {
  const auto before = members({member(10, 1), member(19, 1), member(20, 5, 0, 19)});
  const auto now = members({member(10, 1), member(19, 1), member(20, 30, 0, 19), member(30, 10, 0, 10)});
  const Growers growers = choose_growers(before, now, 35 * kMega);
  CHECK(chosen(growers, 30));
  CHECK(chosen(growers, 10));
  CHECK(chosen(growers, 20));
  CHECK_FALSE(chosen(growers, 19));
}

TEST_CASE(
    "a relay that forks twice goes in with the children it left to init, a mate that forks now and then does not") {
  auto before = members({member(10, 1), member(19, 1)});
  auto now = members({member(10, 1), member(19, 1), member(30, 10), member(32, 10), member(34, 10), member(36, 10)});
  before[0].births = 100, now[0].births = 104;
  now[1].births = 1;
  const Growers growers = choose_growers(before, now, 40 * kMega);
  CHECK(chosen(growers, 30));
  CHECK(chosen(growers, 10));
  CHECK_FALSE(chosen(growers, 19));
  now[0].births = 101;  // explains a quarter of them
  CHECK_FALSE(chosen(choose_growers(before, now, 40 * kMega), 10));
}

TEST_CASE("the youngest of a relay go in with their siblings, however little they have grown") {
  const auto before = members({member(10, 1), member(12, 3, 0, 10)});
  const auto now = members(
      {member(10, 1), member(12, 3, 0, 10), member(30, 50, 0, 10), member(32, 50, 0, 10), member(34, 0.1, 0, 10)});
  const Growers growers = choose_growers(before, now, 100 * kMega);
  CHECK(chosen(growers, 34));
  CHECK_FALSE(chosen(growers, 12));
  const auto one = members({member(10, 1), member(30, 100, 0, 10), member(34, 0.1, 0, 10)});
  CHECK_FALSE(chosen(choose_growers(before, one, 100 * kMega), 34));
}

TEST_CASE("growth that is nobody's own memory (tmpfs, sockets) belongs to who was handed the pages") {
  const auto before = members({member(10, 5, 10), member(11, 5, 500)});
  const auto now = members({member(10, 5, 110), member(11, 5, 501)});
  const Growers growers = choose_growers(before, now, 100 * kMega);
  CHECK(chosen(growers, 10));
  CHECK_FALSE(chosen(growers, 11));
}

TEST_CASE(
    "beside a compiler, a file growing in tmpfs belongs to who was handed such pages, not to who was handed most") {
  auto before = members({member(10, 5), member(11, 5)});
  auto now = members({member(10, 5, 100), member(11, 5, 900)});
  now[0].unowned_bytes = 98 * kMega, now[1].unowned_bytes = 1 * kMega;
  const Growers growers = choose_growers(before, now, 100 * kMega);
  CHECK(chosen(growers, 10));
  CHECK_FALSE(chosen(growers, 11));
}

TEST_CASE("own growth counts who is there, and nobody's shrinking") {
  const auto before = members({member(10, 5), member(11, 90), member(12, 7)});
  const auto now = members({member(10, 25), member(11, 40), member(13, 3)});
  CHECK(own_growth(before, now) == Approx(23 * kMega));
}

TEST_CASE("S3: a protected process is never chosen, and its share is told") {
  auto before = members({member(10, 5), member(11, 5)});
  auto now = members({member(10, 105), member(11, 10)});
  now[0].is_protected = true;
  const Growers growers = choose_growers(before, now, 105 * kMega);
  CHECK_FALSE(chosen(growers, 10));
  CHECK(growers.protected_share == Approx(100.0 / 105));
}

TEST_CASE("more than 64 growers are too many to move") {
  Members before, now;
  for (int i = 0; i < 200; ++i) now.push_back(member(100 + i, 2));
  CHECK(choose_growers(before, now, 400 * kMega).too_many);
}

TEST_CASE("a process that took over a pid is not the one that was measured") {
  const auto before = members({member(10, 100)});
  auto now = members({member(10, 101)});
  now[0].start_ticks = 999;
  CHECK(chosen(choose_growers(before, now, 101 * kMega), 10));
}
