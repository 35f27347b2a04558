#include <cmath>

#include "actuate/holding.h"
#include "actuate/room_size.h"
#include "test/catch.h"

using namespace hosa;

namespace {
constexpr double kMega = 1024 * 1024;

// A 1 GiB machine in which one unit grows: the agent's side of the contract, in arithmetic.
struct Machine {
  double available = 690 * kMega, bytes = 20 * kMega, now = 0;
  bool frozen = false, room = false, agrees = true, has_line = true, warming = false, busy = false, has_cpu = true;
  int line_writes = 0, line_drops = 0;
  double line = 0, known = 0;
  Holding holding;

  Observation look() const {
    RoomInputs in;
    in.mem_total = 1024 * kMega;
    in.mem_available = available;
    Observation o;
    o.now_s = now;
    o.bytes = o.current_bytes = bytes;
    o.room_bytes = room_bytes(in);
    o.available_bytes = available;
    o.reserve_bytes = reserve_bytes(in);
    o.known_bytes = known;
    o.quarter_bytes = 256 * kMega;
    o.has_line = has_line;
    o.room_ready = room;
    o.detector_agrees = agrees;
    o.warming = warming;
    return o;
  }
  void carry_out(const Orders& orders) {
    if (orders.set_line) ++line_writes, line = orders.line_bytes;
    if (orders.drop_line) ++line_drops, line = 0;
    if (orders.open_room) room = true, has_cpu = false;
    if (orders.close_room) room = frozen = false, has_cpu = true;
    if (orders.give_cpu) has_cpu = true;
    if (orders.pulse == Pulse::freeze) frozen = true, has_cpu = false;
    if (orders.pulse == Pulse::thaw) frozen = false;
  }
  void run(double seconds, double rate) {
    for (const double end = now + seconds; now < end;) {
      now += 0.01;
      const double growth = frozen ? 0 : busy && !has_cpu ? 1 * kMega * 0.01 : rate * 0.01;
      bytes += growth, available -= growth;
      carry_out(holding.step(look()));
    }
  }
};
}  // namespace

TEST_CASE("a leak of 50 MB/s uses at most 70 % of the room in 60 s and everything is given back within 15 s") {
  Machine m;
  const double room = m.look().room_bytes, start = m.bytes;
  m.carry_out(m.holding.insure(m.look()));
  CHECK(m.line == Approx(start + room / 2));
  m.run(60, 50 * kMega);
  CHECK(m.holding.stage() == Stage::bucket);
  CHECK(m.bytes - start <= 0.70 * room);
  const double before = m.bytes;
  m.run(5, 50 * kMega);
  CHECK(m.bytes - before <= 5 * 4 * kMega);
  m.run(15, 0);
  CHECK(m.holding.stage() == Stage::watching);
  CHECK_FALSE(m.room);
  CHECK(m.line == 0);
  CHECK(m.line_drops == 1);
}

TEST_CASE("who grows slowly because others have the CPU is not let go") {
  Machine m;
  const double room = m.look().room_bytes, start = m.bytes;
  m.carry_out(m.holding.insure(m.look()));
  m.run(15, 50 * kMega);
  REQUIRE(m.holding.stage() == Stage::bucket);
  m.busy = true;  // the held have next to no claim to it
  m.run(45, 50 * kMega);
  CHECK(m.holding.stage() == Stage::bucket);
  CHECK(m.bytes - start <= 0.70 * room);
  m.run(5, 0);
  CHECK_FALSE(m.room);
}

TEST_CASE("a start-up that stops in time is insured, never held, and the insurance is taken back") {
  Machine m;
  m.carry_out(m.holding.insure(m.look()));
  m.run(2, 50 * kMega);
  m.run(13, 0);
  CHECK(m.holding.stage() == Stage::watching);
  CHECK(m.holding.bucket().freezes() == 0);
  CHECK(m.line_writes == 1);
}

TEST_CASE("the bucket does not start while the detector disagrees, except during warm-up") {
  Machine m;
  m.agrees = false;
  m.carry_out(m.holding.insure(m.look()));
  m.run(6, 50 * kMega);
  CHECK(m.holding.stage() == Stage::insured);
  m.warming = true;
  m.run(0.1, 50 * kMega);
  CHECK(m.holding.stage() == Stage::bucket);
}

TEST_CASE("a relapse within 60 s doubles the hysteresis") {
  Machine m;
  m.carry_out(m.holding.insure(m.look()));
  m.run(12, 0);
  REQUIRE(m.holding.stage() == Stage::watching);
  m.carry_out(m.holding.insure(m.look()));
  CHECK(m.holding.hysteresis_s() == 2 * Holding::kHysteresisS);
}

TEST_CASE("limits do not flap: the line is rewritten at most once in 10 s, and only upward") {
  Machine m;
  m.carry_out(m.holding.insure(m.look()));
  double last = m.line;
  for (int i = 0; i < 12; ++i) {
    const int writes = m.line_writes;
    m.run(5, 50 * kMega);
    CHECK(m.line_writes - writes <= 1);
    CHECK(m.line >= last);
    last = m.line;
  }
}

TEST_CASE("a leak too fast for the room reaches level 4 and still leaves the reserve") {
  Machine m;
  m.carry_out(m.holding.insure(m.look()));
  m.run(120, 600 * kMega);
  CHECK(m.available > 0);
  CHECK(m.holding.stage() == Stage::bucket);
}

TEST_CASE("the room is the smallest of the machine, a memory.max above, and --room") {
  RoomInputs in;
  in.mem_total = 1024 * kMega, in.mem_available = 700 * kMega;
  CHECK(room_bytes(in) == Approx(700 * kMega - 0.04 * 1024 * kMega));
  in.limit_headroom = 100 * kMega;
  CHECK(room_bytes(in) == Approx(100 * kMega));
  in.room_option = 64 * kMega, in.grown_since_onset = 20 * kMega;
  CHECK(room_bytes(in) == Approx(40 * kMega));
}

TEST_CASE("a start-up up to 1.25 times the size that is known meets no bucket, a stranger's does") {
  for (const double known : {0.0, 320 * kMega}) {
    Machine m;  // 690 MB available, of which 434 may go until a quarter of 1 GB is left; it starts with 20 MB
    m.known = known;
    m.carry_out(m.holding.insure(m.look()));
    CHECK(m.holding.expected() == (known > 0));
    m.run(3.7, 100 * kMega);  // 390 MB
    CHECK((m.holding.stage() == Stage::insured) == (known > 0));
    CHECK(m.line > m.bytes);
    m.run(20, 0);
    CHECK(m.line == 0);
  }
}

TEST_CASE("beyond 1.25 times the known size the bucket comes") {
  Machine m;
  m.known = 300 * kMega;
  m.carry_out(m.holding.insure(m.look()));
  m.run(3.4, 100 * kMega);
  CHECK(m.holding.stage() == Stage::insured);
  m.run(0.6, 100 * kMega);
  CHECK(m.holding.stage() == Stage::bucket);
}

TEST_CASE("a known size is worth nothing while less than a quarter of the machine is left") {
  Machine m;
  m.known = 600 * kMega;
  m.carry_out(m.holding.insure(m.look()));
  REQUIRE(m.holding.expected());
  m.run(1, 50 * kMega);
  m.available = 250 * kMega;  // somebody else took it
  m.run(0.1, 50 * kMega);
  CHECK_FALSE(m.holding.expected());
  CHECK(m.line < m.bytes + 150 * kMega);
  m.run(3, 50 * kMega);
  CHECK(m.holding.stage() == Stage::bucket);
}
