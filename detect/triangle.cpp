#include "detect/triangle.h"

namespace hosa::detect {
namespace {

// One SSE2 or NEON register: two doubles or four floats, the same IEEE operations as one after the other.
template <class Real>
struct LanesOf {
  typedef Real type __attribute__((vector_size(16)));
};
template <class Real>
using Lanes = typename LanesOf<Real>::type;
template <class Real>
constexpr std::size_t kLanes = 16 / sizeof(Real);
constexpr std::size_t kRows = 4;  // at a time; a multiple of both kLanes

template <class Real>
Lanes<Real> load(const Real* at) {
  Lanes<Real> lanes;
  __builtin_memcpy(&lanes, at, sizeof lanes);
  return lanes;
}
template <class Real>
void store(Real* at, Lanes<Real> lanes) {
  __builtin_memcpy(at, &lanes, sizeof lanes);
}
template <class Real>
Lanes<Real> all(Real x) {
  return Lanes<Real>{} + x;
}
template <class Real>
Real sum(Lanes<Real> lanes) {
  if constexpr (kLanes<Real> == 4)
    return (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  else
    return lanes[0] + lanes[1];
}

}  // namespace

template <class Real>
void multiply(const Triangle<Real>& m, std::size_t n, const Real* x, Real* out) {
  std::size_t i = 0;
  for (; i + kRows <= n; i += kRows) {
    const Real *const a = m[i], *const b = m[i + 1], *const c = m[i + 2], *const d = m[i + 3];
    Lanes<Real> sa{}, sb{}, sc{}, sd{};
    for (std::size_t k = 0; k < i; k += kLanes<Real>) {
      const Lanes<Real> part = load(x + k);
      sa += load(a + k) * part;
      sb += load(b + k) * part;
      sc += load(c + k) * part;
      sd += load(d + k) * part;
    }
    const Real *const at = x + i, *const lb = b + i, *const lc = c + i, *const ld = d + i;
    out[i] = sum<Real>(sa) + a[i] * at[0];
    out[i + 1] = sum<Real>(sb) + (lb[0] * at[0] + lb[1] * at[1]);
    out[i + 2] = sum<Real>(sc) + (lc[0] * at[0] + lc[1] * at[1] + lc[2] * at[2]);
    out[i + 3] = sum<Real>(sd) + ((ld[0] * at[0] + ld[1] * at[1]) + (ld[2] * at[2] + ld[3] * at[3]));
  }
  for (; i < n; ++i) {
    const Real* const row = m[i];
    Lanes<Real> s{};
    std::size_t k = 0;
    for (; k + kLanes<Real> <= i + 1; k += kLanes<Real>) s += load(row + k) * load(x + k);
    Real rest = 0;
    for (; k <= i; ++k) rest += row[k] * x[k];
    out[i] = sum<Real>(s) + rest;
  }
}

template <class Real>
void multiply_transposed(const Triangle<Real>& m, std::size_t n, const Real* x, Real* out) {
  std::size_t i = 0;
  for (; i + kRows <= n; i += kRows) {
    const Real *const a = m[i], *const b = m[i + 1], *const c = m[i + 2], *const d = m[i + 3];
    const Lanes<Real> xa = all(x[i]), xb = all(x[i + 1]), xc = all(x[i + 2]), xd = all(x[i + 3]);
    for (std::size_t k = 0; k < i; k += kLanes<Real>)
      store<Real>(out + k,
                  load(out + k) + ((load(a + k) * xa + load(b + k) * xb) + (load(c + k) * xc + load(d + k) * xd)));
    const Real *const at = x + i, *const lb = b + i, *const lc = c + i, *const ld = d + i;
    out[i] = (a[i] * at[0] + lb[0] * at[1]) + (lc[0] * at[2] + ld[0] * at[3]);
    out[i + 1] = lb[1] * at[1] + (lc[1] * at[2] + ld[1] * at[3]);
    out[i + 2] = lc[2] * at[2] + ld[2] * at[3];
    out[i + 3] = ld[3] * at[3];
  }
  for (; i < n; ++i) {
    const Real* const row = m[i];
    std::size_t k = 0;
    for (; k + kLanes<Real> <= i; k += kLanes<Real>) store<Real>(out + k, load(out + k) + load(row + k) * all(x[i]));
    for (; k < i; ++k) out[k] += row[k] * x[i];
    out[i] = row[i] * x[i];
  }
}

template <class Real>
void blend_square(Triangle<Real>& m, std::size_t n, Real keep, Real a, const Real* x) {
  const Lanes<Real> kept = all(keep);
  for (std::size_t i = 0; i < n; ++i) {
    Real* const row = m[i];
    const Real scale = a * x[i];
    const Lanes<Real> scales = all(scale);
    std::size_t j = 0;
    for (; j + kLanes<Real> <= i + 1; j += kLanes<Real>)
      store<Real>(row + j, kept * (load(row + j) + scales * load(x + j)));
    for (; j <= i; ++j) row[j] = keep * (row[j] + scale * x[j]);
  }
}

template void blend_square(Triangle<float>&, std::size_t, float, float, const float*);
template void blend_square(Triangle<double>&, std::size_t, double, double, const double*);
template void multiply(const Triangle<float>&, std::size_t, const float*, float*);
template void multiply(const Triangle<double>&, std::size_t, const double*, double*);
template void multiply_transposed(const Triangle<float>&, std::size_t, const float*, float*);
template void multiply_transposed(const Triangle<double>&, std::size_t, const double*, double*);

}  // namespace hosa::detect
