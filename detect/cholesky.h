// A = L L' of a symmetric positive definite matrix, and the two triangular solves. Row oriented: all inner loops run
// along rows.
#pragma once
#include "detect/moments.h"

namespace hosa::detect {

// Reads a's lower triangle, writes factor's. False if a pivot is not positive (factor is then unusable).
bool factorize(const Matrix& a, std::size_t n, Matrix& factor);
// y = L^-1 d
void solve_lower(const Matrix& factor, std::size_t n, std::span<const double> d, Vector& y);
// z = L'^-1 y, in place. After solve_lower: A^-1 d.
void solve_upper(const Matrix& factor, std::size_t n, Vector& y);

}  // namespace hosa::detect
