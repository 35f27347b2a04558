// Loads every program of one object alone and keeps nothing; prints one JSON line. See main.cpp.
#pragma once
#include "loader/program_image.h"

namespace hosa {

struct LoadOptions {
  bool verbose = false;
};

// True when all programs loaded.
bool load_object(const char* path, const Btf* kernel, const LoadOptions& options);

}  // namespace hosa
