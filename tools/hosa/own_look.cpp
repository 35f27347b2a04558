#include "tools/hosa/own_look.h"

#include <time.h>

#include "loader/sys/file.h"

namespace hosa {

Result<void> OwnLook::open(const Options& options) {
  auto directory = open_directory(AT_FDCWD, "/proc");
  if (!directory) return directory.error();
  proc = std::move(*directory);
  if (auto found = open_directory(AT_FDCWD, "/sys")) sys = std::move(*found);
  if (!options.without.cgroup) cgroup = open_cgroup_home(proc, ::geteuid() == 0);
  machine = read_machine(proc, sys, cgroup.directory);
  senses.open(proc, sys, machine, options, rungs);
  return {};
}

void sleep_s(double seconds) {
  timespec wait{static_cast<time_t>(seconds),
                static_cast<long>((seconds - static_cast<double>(static_cast<time_t>(seconds))) * 1e9)};
  ::nanosleep(&wait, nullptr);
}

}  // namespace hosa
