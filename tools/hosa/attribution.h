// Who did how much of what the probes attribute, for `hosa sense`: the kernel's tables now against those of the last
// question. Read only when somebody asks.
#pragma once
#include "tools/hosa/json.h"
#include "tools/hosa/kernel_side.h"

namespace hosa {

// "attribution": [{resource, unit, amount, who, cgroup}]: per kind the three processes that did most per second since
// the last call, half a second to half a minute ago (nothing at the first one). Faults are attributed from level 1 on.
// "forgotten": what full tables dropped since the start. Keeps the tables: one caller at a time.
void describe_attribution(JsonLine& line, const KernelSide& kernel, uint64_t now_ns);

}  // namespace hosa
