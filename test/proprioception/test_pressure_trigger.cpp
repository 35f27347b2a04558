#include "proprioception/pressure_trigger.h"

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "loader/sys/file.h"
#include "test/catch.h"

using namespace hosa;

TEST_CASE("a pressure limit is brought into the kernel's range, its share of time kept") {
  CHECK(allowed_limit({100'000, 1'000'000}).threshold_us == 100'000);
  CHECK(allowed_limit({10'000, 100'000}).window_us == 500'000);  // shorter than the kernel allows
  CHECK(allowed_limit({10'000, 100'000}).threshold_us == 50'000);
  CHECK(allowed_limit({6'000'000, 60'000'000}).window_us == 10'000'000);
  CHECK(allowed_limit({6'000'000, 60'000'000}).threshold_us == 1'000'000);
  CHECK(allowed_limit({0, 1'000'000}).threshold_us == 1);
  CHECK(allowed_limit({5'000'000, 1'000'000}).threshold_us == 1'000'000);  // more than the window
  CHECK(allowed_limit({0, 0}).window_us == 500'000);
}

TEST_CASE("a crowd on the CPUs wakes who has set a trigger") {
  const auto proc = open_directory(AT_FDCWD, "/proc");
  REQUIRE(proc);
  PressureLimit limit{10'000, 500'000};
  const auto trigger = open_pressure_trigger(*proc, "cpu", limit);
  if (!trigger && (trigger.error().code == ENOENT || trigger.error().code == EOPNOTSUPP)) HOSA_SKIP("no PSI");
  if (!trigger && trigger.error().code == EACCES) HOSA_SKIP("pressure files cannot be written");
  REQUIRE(trigger);
  std::vector<pid_t> crowd;
  for (long i = 0; i < 2 * ::sysconf(_SC_NPROCESSORS_ONLN); ++i) {
    crowd.push_back(::fork());
    if (crowd.back() == 0)
      for (;;) {
      }
  }
  pollfd waiting{trigger->get(), POLLPRI, 0};
  const int woken = ::poll(&waiting, 1, 5000);
  for (const pid_t pid : crowd) ::kill(pid, SIGKILL);
  for (const pid_t pid : crowd) ::waitpid(pid, nullptr, 0);
  CHECK(woken == 1);
  CHECK((waiting.revents & POLLPRI) != 0);
}

TEST_CASE("a trigger on a kernel without PSI is an error, not a crash") {
  PressureLimit limit{10'000, 500'000};
  const auto nowhere = open_directory(AT_FDCWD, "test/fixtures/proprioception/appliance/proc");
  CHECK_FALSE(open_pressure_trigger(*nowhere, "memory", limit).has_value());
}
