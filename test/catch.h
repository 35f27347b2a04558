// The one door to Catch2: version 2 (Debian 12) and version 3 name their headers differently.
#pragma once
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
#else
#include <catch2/catch.hpp>
#endif
#include <cstdio>
// A test that this machine cannot run says which feature is missing and counts as skipped.
#define HOSA_SKIP(reason)                   \
  do {                                      \
    std::printf("skipped: %s\n", (reason)); \
    return;                                 \
  } while (0)
