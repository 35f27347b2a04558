#include "proprioception/turn.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "loader/sys/fd.h"
#include "test/catch.h"

using namespace hosa;

namespace {

void work_ms(double milliseconds) {
  timespec begun{}, now{};
  ::clock_gettime(CLOCK_MONOTONIC, &begun);
  do {
    ::clock_gettime(CLOCK_MONOTONIC, &now);
  } while (static_cast<double>(now.tv_sec - begun.tv_sec) * 1e3 +
               static_cast<double>(now.tv_nsec - begun.tv_nsec) * 1e-6 <
           milliseconds);
}

long times_it_gave_up_the_cpu() {
  rusage usage{};
  ::getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

// How often 0.3 ms of work ended in a rest that gave up the CPU (on a busy machine its time may be over before).
long rests_in(int pieces) {
  const long before = times_it_gave_up_the_cpu();
  for (int i = 0; i < pieces; ++i) {
    work_ms(0.3);
    let_others_run();
  }
  return times_it_gave_up_the_cpu() - before;
}

struct EndOfTurn {
  ~EndOfTurn() { end_turn(); }
};

}  // namespace

TEST_CASE("a turn lets others run after 0.15 ms of work, and outside of one nobody rests") {
  const EndOfTurn end;
  CHECK(rests_in(3) == 0);
  begin_turn({});
  CHECK(rests_in(6) >= 3);
}

TEST_CASE("an urgent turn does not rest for a tenth of a second, and then it does") {
  const EndOfTurn end;
  begin_turn({.hurry = true});
  CHECK(rests_in(3) == 0);
  work_ms(100);
  CHECK(rests_in(6) >= 3);
}

TEST_CASE("where a CPU is free nobody needs a rest in the first millisecond") {
  const EndOfTurn end;
  begin_turn({.roomy = true});
  CHECK(rests_in(2) == 0);
  work_ms(1);
  CHECK(rests_in(6) >= 3);
}

TEST_CASE("a record that arrives in a rest ends the rests, and whoever counts can tell") {
  const EndOfTurn end;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const Fd reader(ends[0]), writer(ends[1]);
  begin_turn({.records = reader.get()});
  CHECK(rests_in(6) >= 3);
  CHECK_FALSE(news_came());
  REQUIRE(::write(writer.get(), "r", 1) == 1);
  work_ms(0.3);
  let_others_run();  // it asks, and does not wait
  CHECK(news_came());
  CHECK(rests_in(3) == 0);
  begin_turn({});
  CHECK_FALSE(news_came());
}

TEST_CASE("who looks at the loop's stamp sees it move in a long turn") {
  const EndOfTurn end;
  uint64_t stamp = 0;
  begin_turn({.stamp_ns = &stamp});
  (void)rests_in(1);
  const uint64_t first = stamp;
  CHECK(first != 0);
  (void)rests_in(1);
  CHECK(stamp > first);
}
