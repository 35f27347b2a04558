// A = L L' of a symmetric positive definite matrix, and the two triangular solves. What is stored is U = L', in the
// upper triangle, row by row: then the factorisation is nothing but rows added to rows, and no addition waits for the
// one before (1.9 us for n = 24 the other way round, 0.7 us so).
#pragma once
#include "detect/moments.h"

namespace hosa::detect {

// Steps first..last-1 of the factorisation of n rows, in place: the upper triangle holds A before and U after.
// inverse gets 1 / U_ii: a division is dear, and each row needs it. False if a pivot is not positive (the rest is then
// unusable).
bool factorize_rows(Matrix& a, std::size_t n, std::size_t first, std::size_t last, Vector& inverse);
// y = L^-1 d
void solve_lower(const Matrix& upper, const Vector& inverse, std::size_t n, std::span<const double> d, Vector& y);
// z = L'^-1 y, in place. After solve_lower: A^-1 d.
void solve_upper(const Matrix& upper, const Vector& inverse, std::size_t n, Vector& y);

}  // namespace hosa::detect
