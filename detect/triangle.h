// Lower triangles, packed row by row without gaps, and the two products the metric is made of.
//
// Row i holds columns 0..i and begins at i (i + 1) / 2: of a symmetric matrix nothing is stored twice (36 dimensions:
// 5.3 kB in doubles, where the full square takes 10.4), and capacity for more dimensions than there are is never
// touched. Both products take four rows at a time, a register of columns beside each, so that no addition waits for the
// one before; the order of additions is written out, so the bits are the same on every machine.
#pragma once
#include <array>
#include <cstddef>

#include "detect/dimension.h"

namespace hosa::detect {

template <class Real>
struct Triangle {
  std::array<Real, kMaxDimensions*(kMaxDimensions + 1) / 2> entry{};
  Real* operator[](std::size_t i) { return entry.data() + i * (i + 1) / 2; }
  const Real* operator[](std::size_t i) const { return entry.data() + i * (i + 1) / 2; }
  bool operator==(const Triangle&) const = default;
};

// out = M x over the first n rows; out and x are different arrays of n.
template <class Real>
void multiply(const Triangle<Real>& m, std::size_t n, const Real* x, Real* out);
// out = M' x, likewise.
template <class Real>
void multiply_transposed(const Triangle<Real>& m, std::size_t n, const Real* x, Real* out);

// M_ij = keep * (M_ij + a x_i x_j)
template <class Real>
void blend_square(Triangle<Real>& m, std::size_t n, Real keep, Real a, const Real* x);

}  // namespace hosa::detect
