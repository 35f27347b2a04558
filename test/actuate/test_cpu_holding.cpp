#include "actuate/cpu_holding.h"
#include "test/catch.h"

using namespace hosa;

namespace {
struct Storm {
  CpuHolding holding;
  CpuObservation o;
  int quota_writes = 0;
  bool weight = false, quota = false;
  double waiting_per_s = 0;

  void carry_out(const CpuOrders& orders) {
    if (orders.lower_weight) weight = true;
    if (orders.set_quota) quota = true, ++quota_writes;
    if (orders.drop_quota) quota = false;
    if (orders.restore_weight) weight = false;
  }
  void run(double seconds, double cpu_per_s, double waiting) {
    o.waiting_share = waiting;
    for (const double end = o.now_s + seconds; o.now_s < end;) {
      o.now_s += 0.1;
      o.cpu_s += cpu_per_s * 0.1;
      if (o.own_waiting_s >= 0) o.own_waiting_s += waiting_per_s * 0.1;
      if (quota && cpu_per_s > 0) ++o.throttled;
      carry_out(holding.step(o));
    }
  }
};
}  // namespace

TEST_CASE("a spinner's weight goes down at once and comes back when it has stopped spinning") {
  Storm s;
  s.carry_out(s.holding.hold(s.o, 2.0));
  CHECK(s.weight);
  s.run(30, 2.0, 0.1);
  CHECK(s.weight);
  CHECK_FALSE(s.quota);
  s.run(5, 0.0, 0.0);
  CHECK_FALSE(s.weight);
}

TEST_CASE("a quota follows when others still wait, and goes before the weight") {
  Storm s;
  s.o.has_quota = true;
  s.o.quota_per_s = 0.3;
  s.carry_out(s.holding.hold(s.o, 2.0));
  s.run(5, 2.0, 0.9);
  CHECK(s.quota);
  s.run(60, 0.3, 0.1);
  CHECK(s.quota);  // the limit makes the calm: it is throttled still
  s.run(4, 0.0, 0.0);
  CHECK_FALSE(s.quota);
  s.run(4, 0.0, 0.0);
  CHECK_FALSE(s.weight);
  CHECK(s.quota_writes == 1);
}

TEST_CASE("ordinary work whose bursts are throttled now and then is no longer pushing") {
  Storm s;
  s.o.has_quota = true;
  s.o.quota_per_s = 0.3;
  s.carry_out(s.holding.hold(s.o, 2.0));
  s.run(5, 2.0, 0.9);
  REQUIRE(s.quota);
  s.run(5, 0.2, 0.0);
  CHECK_FALSE(s.quota);
}

TEST_CASE("a storm that gets no CPU because somebody else is busy has not stopped") {
  Storm s;
  s.o.own_waiting_s = 0;
  s.carry_out(s.holding.hold(s.o, 1.0));
  s.waiting_per_s = 0.95;
  s.run(10, 0.02, 0.9);
  CHECK(s.weight);
  s.waiting_per_s = 0.1;  // ordinary work
  s.run(8, 0.2, 0.1);
  CHECK_FALSE(s.weight);
}

TEST_CASE("a storm of forks that pids.max refuses has not stopped, however little CPU it uses") {
  Storm s;
  s.carry_out(s.holding.hold(s.o, 0.2));
  for (int i = 0; i < 10; ++i) {
    ++s.o.refused;
    s.run(1, 0.05, 0.1);
  }
  CHECK(s.weight);
  s.run(6, 0.05, 0.1);
  CHECK_FALSE(s.weight);
}

TEST_CASE("a storm without a cgroup of its own is not let go while the machine still waits for CPUs") {
  Storm s;
  s.carry_out(s.holding.hold(s.o, 1.0));
  s.run(10, 0.1, 0.9);
  CHECK(s.weight);
  s.run(5, 0.1, 0.2);
  CHECK_FALSE(s.weight);
}
