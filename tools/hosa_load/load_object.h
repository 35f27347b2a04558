// Loads every program of one object alone and keeps nothing; prints one JSON line. See main.cpp.
#pragma once
#include "loader/kernel_types.h"
#include "tools/hosa_load/loading.h"

namespace hosa {

// True when all programs loaded.
bool load_object(const char* path, KernelTypes& kernel, const LoadOptions& options, Output& out, Output& errors);

}  // namespace hosa
