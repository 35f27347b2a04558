// Controllers that are off where the culprit lives are switched on first, journalled like a limit (spec 7). A cgroup
// with processes of its own cannot hand controllers to its children (EBUSY): then the rung below is taken.
#pragma once
#include "actuate/limit.h"
#include "actuate/undo.h"

namespace hosa {

// Switches `controller` ("cpu") on in every cgroup from the root down to the parent of `path`, where it is off.
// `root`: the v2 root. ENOENT: this kernel or tree does not have it.
Result<void> switch_on(Journal& journal, const Fd& root, std::string_view path, std::string_view controller,
                       uint64_t deadline_ns);

// Back off, only if every child holds its defaults; otherwise somebody relies on it and it stays (Undone::kept).
Undone switch_off(const Fd& cgroup, std::string_view controller);

}  // namespace hosa
