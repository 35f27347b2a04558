#include "proprioception/turn.h"

#include <sys/resource.h>
#include <time.h>

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

}  // namespace

TEST_CASE("a turn that may rest lets others run after 0.15 ms of work, and an urgent one never does") {
  for (const bool may_rest : {true, false}) {
    INFO(may_rest);
    begin_turn(may_rest);
    const long before = times_it_gave_up_the_cpu();
    work_ms(0.3);
    let_others_run();
    CHECK(times_it_gave_up_the_cpu() == before + (may_rest ? 1 : 0));
    begin_turn(false);
  }
}
