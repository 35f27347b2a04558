// The self-test's question to the byte sensor: does it put down to a process what that process took, within 5 %, on
// this kernel, with its page size and its huge pages?
#pragma once
#include "tools/hosa/kernel_side.h"

namespace hosa {

// One line for each kind of memory; answers how many failed. Where there is no byte sensor: one line that says so, 0.
int test_attribution(const KernelSide& kernel);

}  // namespace hosa
