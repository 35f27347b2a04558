// A stored baseline laid over the dimensions that the machine has now, when a probe more or less has changed them.
//
// A dimension that is gone is left out: what remains of a covariance is one. A dimension that is new needs a scale, a
// mean and a spread of its own: they come from `fresh`, the moments of a short warm-up, brought to the merged scale
// (z is linear in y, so that is exact). The tail of the score is that of a vector of so many dimensions: it is kept
// only where they are the same. How old and new dimensions move together is known from the short warm-up alone;
// such a patchwork may be no covariance (Detector::restore refuses it), then it is merged again without.
#pragma once
#include "detect/detector.h"

namespace hosa::detect {

// place[j]: where dimension j of the present table stands in the stored baseline, -1: it is new.
using Places = std::array<int, kMaxDimensions>;

// fresh: of the present table, n dimensions; not looked at where no dimension is new. Pure.
void merge_baselines(const Baseline& stored, const Baseline& fresh, const Places& place, std::size_t n, bool together,
                     Baseline& merged);

}  // namespace hosa::detect
