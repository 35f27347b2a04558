// How large the detector is for 36 dimensions: the same headers with room for 36 instead of 64, under a name of their
// own. This file measures and calls nothing.
#include <cstdio>
#define HOSA_DIMENSIONS 36
#define detect detect_of_36
#include "detect/detector.h"
#undef detect
#include "test/catch.h"

using namespace hosa::detect_of_36;

TEST_CASE("the state of the detector is 16 KiB for 36 dimensions, and what is counted apart is named") {
  // Apart: half a second of readings, which rates are formed of; the day's and the week's course (24 and 28 profiles,
  // nothing before a week, six weeks); the verdict, which is the answer.
  constexpr std::size_t kSeason = 2 * sizeof(Season) + sizeof(Spreads);
  constexpr std::size_t kState = sizeof(Detector) - sizeof(RateWindow) - kSeason - sizeof(Verdict);
  std::printf("36 dimensions: state %zu bytes (covariance %zu, metric %zu, thresholds %zu, ...); apart: window %zu, ",
              kState, sizeof(Moments), sizeof(Mahalanobis), 2 * sizeof(Thresholds), sizeof(RateWindow));
  std::printf("seasons %zu, verdict %zu; all %zu\n", kSeason, sizeof(Verdict), sizeof(Detector));
  CHECK(kState <= 16384);
  CHECK(sizeof(Detector) <= 40960);
}
