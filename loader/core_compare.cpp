#include "loader/core_compare.h"

namespace hosa {
namespace {

constexpr int kMaxLevels = 32;            // functions in functions, structures in structures
constexpr int kMaxComparisons = 1000000;  // members compared for one record: task_struct against itself is 100,000

bool enumeration(uint32_t kind) {
  return kind == BTF_KIND_ENUM || kind == kBtfEnum64;
}
bool composite(uint32_t kind) {
  return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

// Numbers that name single bits inside themselves were given up with bit fields of members.
Fits plain_numbers(const Btf& local, const BtfType& x, const Btf& target, const BtfType& y) {
  const auto p = local.integer(x), q = target.integer(y);
  if (!p || !q) return Fits::broken;
  return BTF_INT_OFFSET(*p) == 0 && BTF_INT_OFFSET(*q) == 0 ? Fits::yes : Fits::no;
}

struct Compared {
  const Btf& local;
  const Btf& target;
  int left = kMaxComparisons;
};

// Compares two functions' parameters one by one.
template <class Compare>
Fits parameters(const Compared& both, const BtfType& x, const BtfType& y, Compare compare) {
  if (x.count != y.count) return Fits::no;
  for (uint32_t i = 0; i < x.count; ++i) {
    const auto p = both.local.parameter(x, i), q = both.target.parameter(y, i);
    if (!p || !q) return Fits::broken;
    const Fits fits = compare(p->type, q->type);
    if (fits != Fits::yes) return fits;
  }
  return Fits::yes;
}

// From a pointer to what it points to, from an array to its elements, from a function to what it returns.
Fits step_on(const Compared& both, const BtfType& x, const BtfType& y, bool same_length, uint32_t& a, uint32_t& b) {
  a = x.size_or_type;
  b = y.size_or_type;
  if (x.kind != BTF_KIND_ARRAY) return Fits::yes;
  const auto p = both.local.array(x), q = both.target.array(y);
  if (!p || !q) return Fits::broken;
  a = p->type;
  b = q->type;
  return same_length && p->nelems != q->nelems ? Fits::no : Fits::yes;
}

Fits types(Compared& both, uint32_t a, uint32_t b, int levels) {
  if (levels < 0) return Fits::broken;
  for (int depth = 0; depth < kMaxLevels; ++depth) {
    const auto x = both.local.resolved(a), y = both.target.resolved(b);
    if (!x || !y || --both.left < 0) return Fits::broken;
    if (!same_kind(x->kind, y->kind)) return Fits::no;
    switch (x->kind) {
      case BTF_KIND_UNKN:
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION:
      case BTF_KIND_ENUM:
      case kBtfEnum64:
      case BTF_KIND_FWD: return Fits::yes;
      case BTF_KIND_INT: return plain_numbers(both.local, *x, both.target, *y);
      case BTF_KIND_PTR: break;
      case BTF_KIND_ARRAY: break;
      case BTF_KIND_FUNC_PROTO: {
        const Fits fits =
            parameters(both, *x, *y, [&](uint32_t p, uint32_t q) { return types(both, p, q, levels - 1); });
        if (fits != Fits::yes) return fits;
        break;
      }
      default: return Fits::no;
    }
    if (const Fits fits = step_on(both, *x, *y, false, a, b); fits != Fits::yes) return fits;
  }
  return Fits::broken;
}

Fits match(Compared& both, uint32_t a, uint32_t b, bool behind_pointer, int levels);

Fits match_enumerations(Compared& both, const BtfType& x, const BtfType& y) {
  if (x.size_or_type != y.size_or_type || x.count > y.count) return Fits::no;
  for (uint32_t i = 0; i < x.count; ++i) {
    const auto mine = both.local.enumerator(x, i);
    if (!mine) return Fits::broken;
    bool there = false;
    for (uint32_t k = 0; k < y.count && !there; ++k) {
      const auto theirs = both.target.enumerator(y, k);
      if (!theirs || --both.left < 0) return Fits::broken;
      there = same_names(both.local, mine->name, both.target, theirs->name);
    }
    if (!there) return Fits::no;
  }
  return Fits::yes;
}

Fits match_members(Compared& both, const BtfType& x, const BtfType& y, bool behind_pointer, int levels) {
  if (x.count > y.count) return Fits::no;
  for (uint32_t i = 0; i < x.count; ++i) {
    const auto mine = both.local.member(x, i);
    if (!mine) return Fits::broken;
    Fits fits = Fits::no;
    for (uint32_t k = 0; k < y.count && fits == Fits::no; ++k) {
      const auto theirs = both.target.member(y, k);
      if (!theirs || --both.left < 0) return Fits::broken;
      if (!same_names(both.local, mine->name, both.target, theirs->name)) continue;
      fits = match(both, mine->type, theirs->type, behind_pointer, levels - 1);
    }
    if (fits != Fits::yes) return fits;
  }
  return Fits::yes;
}

// A structure that is only announced on one side; the flag of a forward declaration means a union.
Fits match_announced(const BtfType& x, const BtfType& y, bool behind_pointer) {
  if (x.kind == y.kind) return x.kind != BTF_KIND_FWD || x.flag == y.flag ? Fits::yes : Fits::no;
  if (!behind_pointer) return Fits::no;
  const BtfType& forward = x.kind == BTF_KIND_FWD ? x : y;
  const BtfType& whole = x.kind == BTF_KIND_FWD ? y : x;
  if (forward.kind != BTF_KIND_FWD || !composite(whole.kind)) return Fits::no;
  return forward.flag == (whole.kind == BTF_KIND_UNION) ? Fits::yes : Fits::no;
}

Fits match_numbers(Compared& both, const BtfType& x, const BtfType& y) {
  const auto p = both.local.integer(x), q = both.target.integer(y);
  if (!p || !q) return Fits::broken;
  const bool same_sign = ((*p ^ *q) >> 24 & BTF_INT_SIGNED) == 0;
  return x.size_or_type == y.size_or_type && same_sign ? Fits::yes : Fits::no;
}

Fits match(Compared& both, uint32_t a, uint32_t b, bool behind_pointer, int levels) {
  if (levels <= 0) return Fits::broken;
  for (int depth = 0; depth < kMaxLevels; ++depth) {
    const auto x = both.local.resolved(a), y = both.target.resolved(b);
    if (!x || !y || --both.left < 0) return Fits::broken;
    if (!same_names(both.local, x->name, both.target, y->name)) return Fits::no;
    if (x->kind == BTF_KIND_FWD || (composite(x->kind) && (behind_pointer || x->kind != y->kind)))
      return match_announced(*x, *y, behind_pointer);
    if (!same_kind(x->kind, y->kind)) return Fits::no;
    switch (x->kind) {
      case BTF_KIND_UNKN: return Fits::yes;
      case BTF_KIND_ENUM:
      case kBtfEnum64: return match_enumerations(both, *x, *y);
      case BTF_KIND_STRUCT:
      case BTF_KIND_UNION: return match_members(both, *x, *y, behind_pointer, levels);
      case BTF_KIND_INT: return match_numbers(both, *x, *y);
      case BTF_KIND_PTR: behind_pointer = true; break;
      case BTF_KIND_ARRAY: break;
      case BTF_KIND_FUNC_PROTO: {
        const Fits fits = parameters(
            both, *x, *y, [&](uint32_t p, uint32_t q) { return match(both, p, q, behind_pointer, levels - 1); });
        if (fits != Fits::yes) return fits;
        break;
      }
      default: return Fits::no;
    }
    if (const Fits fits = step_on(both, *x, *y, true, a, b); fits != Fits::yes) return fits;
  }
  return Fits::broken;
}

}  // namespace

bool same_kind(uint32_t a, uint32_t b) {
  return a == b || (enumeration(a) && enumeration(b));
}

bool same_names(const Btf& local, uint32_t a, const Btf& target, uint32_t b) {
  const BtfName x = local.name(a), y = target.name(b);
  return without_flavour(x.view()) == without_flavour(y.view());
}

Fits compatible_fields(const Btf& local, uint32_t a, const Btf& target, uint32_t b) {
  for (int depth = 0; depth < kMaxTypeDepth; ++depth) {
    const auto x = local.resolved(a), y = target.resolved(b);
    if (!x || !y) return Fits::broken;
    if (composite(x->kind) && composite(y->kind)) return Fits::yes;
    if (!same_kind(x->kind, y->kind)) return Fits::no;
    switch (x->kind) {
      case BTF_KIND_PTR:
      case BTF_KIND_FLOAT: return Fits::yes;
      case BTF_KIND_FWD:
      case BTF_KIND_ENUM:
      case kBtfEnum64:
        if (local.name(x->name).empty() || target.name(y->name).empty()) return Fits::yes;
        return same_names(local, x->name, target, y->name) ? Fits::yes : Fits::no;
      case BTF_KIND_INT: return plain_numbers(local, *x, target, *y);
      case BTF_KIND_ARRAY: break;
      default: return Fits::no;
    }
    const auto p = local.array(*x), q = target.array(*y);
    if (!p || !q) return Fits::broken;
    a = p->type;
    b = q->type;
  }
  return Fits::broken;
}

Fits compatible_types(const Btf& local, uint32_t a, const Btf& target, uint32_t b) {
  Compared both{local, target};
  const auto x = local.type(a), y = target.type(b);
  if (!x || !y) return Fits::broken;
  return same_kind(x->kind, y->kind) ? types(both, a, b, kMaxLevels) : Fits::no;
}

Fits matching_types(const Btf& local, uint32_t a, const Btf& target, uint32_t b) {
  Compared both{local, target};
  return match(both, a, b, false, kMaxLevels);
}

}  // namespace hosa
