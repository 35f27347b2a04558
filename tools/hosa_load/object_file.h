// The bytes of an object file in memory of our own (a mapped file may shrink under us), without what debuggers read:
// that is four fifths of most objects. It stays zero, and costs no memory.
#pragma once
#include "loader/sys/mapping.h"

namespace hosa {

Result<Mapping> read_object_file(const char* path);

}  // namespace hosa
