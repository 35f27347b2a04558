// Types that user space is promised (include/uapi, and the registers that kprobes see): their layout is the same on
// every kernel of an architecture but for members that were added at the end, so that an object's own definition
// answers for the kernel's where that has no BTF. A definition that is too small to be the whole (objects declare
// parts of a type, and leave the rest to CO-RE) does not.
#pragma once
#include <cstdint>
#include <string_view>

namespace hosa {

bool promised_to_user_space(std::string_view type, uint32_t bytes);

}  // namespace hosa
