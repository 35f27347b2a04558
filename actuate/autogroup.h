// The nice value of a session's autogroup (sched(7), /proc/PID/autogroup). Where tasks are not in a cgroup of the cpu
// controller, the scheduler shares the CPU between sessions first: a SCHED_IDLE process alone in its session has the
// weight of a whole session still. Measured on 6.1, one CPU: thirty SCHED_IDLE processes of a relay, each after a
// setsid() of its own, kept a bystander waiting for 30-80 ms at each thaw; with the autogroups at nice 19 for 3.
//
// One autogroup serves everybody in the session, so it is lowered only where all of the session is held.
#pragma once
#include "actuate/growers.h"
#include "actuate/process_hold.h"

namespace hosa {

// "/autogroup-123 nice 0"
struct Autogroup {
  int number = 0, nice = 0;
};
std::optional<Autogroup> parse_autogroup(std::string_view text);
std::optional<Autogroup> read_autogroup(const Fd& proc, int pid);

// Whether the scheduler heeds the autogroup of a process at all: it does not where autogroups are switched off, nor for
// who is in a cgroup of the cpu controller. `cgroups` is the text of /proc/PID/cgroup: of a v1 hierarchy the line of
// cpu tells; with v2 alone only the root cgroup, and a hold room in it, are sure to be outside.
bool outside_cpu_cgroups(std::string_view cgroups);
bool autogroup_counts(const Fd& proc, int pid);

// Nobody of that session is outside `ours`, as far as members (of the same unit) and the session's leader can tell.
bool owns_session(const Fd& proc, int session, const Members& members, std::span<const ProcessRef> ours);

// Nice 19, journalled for this process with what the autogroup had before us. True if it is journalled now and was not
// before; false where it was, where it stands at 19 by somebody else's wish, or where the kernel has no autogroups.
Result<bool> lower_autogroup(Journal& journal, const Fd& proc, const ProcessRef& process, uint64_t deadline_ns);

}  // namespace hosa
