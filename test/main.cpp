// The main function of every unit-test program, and the one line that tools/build/run-tests reads: "tally PASSED
// FAILED".
#define CATCH_CONFIG_MAIN
#include "test/catch.h"

#if __has_include(<catch2/catch_all.hpp>)
using ListenerBase = Catch::EventListenerBase;
#else
using ListenerBase = Catch::TestEventListenerBase;
#endif

namespace {

// Also called when a signal ends the program: the case that it hit counts as failed.
struct Tally : ListenerBase {
  using ListenerBase::ListenerBase;
  void testRunEnded(const Catch::TestRunStats& stats) override {
    const auto& cases = stats.totals.testCases;
    std::printf("tally %llu %llu\n", static_cast<unsigned long long>(cases.passed),
                static_cast<unsigned long long>(cases.failed));
    std::fflush(stdout);
  }
};

}  // namespace

CATCH_REGISTER_LISTENER(Tally)
