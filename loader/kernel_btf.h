// The types of an object as the kernel takes them: sizes and offsets of global data filled in, externs disguised.
#pragma once
#include "loader/program_image.h"

namespace hosa {

// Appends the BTF to out; false when memory is gone.
bool btf_for_kernel(const ObjectImage& image, List<unsigned char>& out);

}  // namespace hosa
