// How far a covariance matrix is drawn towards its diagonal, so that it inverts well on few samples.
//
// Oracle approximating shrinkage (Chen, Wiesel, Eldar, Hero, IEEE TSP 58(10), 2010) on the correlation matrix C:
//   g = ((1 - 2/n) tr(C^2) + n^2) / ((N + 1 - 2/n)(tr(C^2) - n)), clipped to 0..1;  N = effective samples.
// On the correlation, not the covariance: dimensions of different variance must not be pulled to one common variance.
#pragma once
#include "detect/moments.h"

namespace hosa::detect {

// Of S + diag(added): lower triangle, positive diagonal. Answers g; 1 when nothing is correlated (then it makes no
// difference).
double shrinkage(const Triangle<double>& s, const Vector& added, std::size_t n, double effective_samples);

}  // namespace hosa::detect
