// Paths through types: read from a CO-RE record, followed in another BTF, and what they come to. Pure.
#pragma once
#include "loader/btf.h"

namespace hosa {

inline constexpr uint32_t kCoreByteOffset = 0, kCoreByteSize = 1, kCoreExists = 2, kCoreSigned = 3, kCoreLeftShift = 4,
                          kCoreRightShift = 5, kCoreTypeIdLocal = 6, kCoreTypeIdTarget = 7, kCoreTypeExists = 8,
                          kCoreTypeSize = 9, kCoreEnumExists = 10, kCoreEnumValue = 11, kCoreTypeMatches = 12;
inline constexpr std::size_t kMaxCoreSteps = 64;

struct CoreStep {
  uint32_t type = 0;  // structure, union, enumeration, or type of the elements
  uint32_t index = 0;
  bool named = false;  // a member or enumerator; otherwise an element
};
struct CorePath {
  uint32_t root = 0;
  uint64_t bits = 0;       // offset
  uint32_t last_type = 0;  // of what the path ends at
  FixedVector<CoreStep, kMaxCoreSteps> steps;
};
struct CoreValue {
  uint64_t value = 0;
  uint32_t size = 0;       // of the memory that is accessed, when the value is an offset
  bool resizable = false;  // a pointer or an unsigned number: loads of another size read the same value
  bool known = false;
};

bool read_path(const Btf& btf, uint32_t root, uint32_t kind, std::string_view text, CorePath& path);
bool follow_path(const Btf& local, const CorePath& path, uint32_t kind, const Btf& target, uint32_t root,
                 CorePath& out);
CoreValue core_value(const Btf& btf, const CorePath& path, uint32_t kind);
// Where no candidate fits: "exists" is 0, everything else unknown.
CoreValue core_absent(uint32_t kind);

}  // namespace hosa
