// Paths through types: read from a CO-RE record ("0:3:1": element 0, member 3, its member 1), followed by name in
// another BTF, and what they come to. Rules: the kernel's Documentation/bpf/llvm_reloc.rst, and libbpf's habits where
// that says nothing. Pure.
#pragma once
#include "loader/btf.h"

namespace hosa {

inline constexpr uint32_t kCoreByteOffset = 0, kCoreByteSize = 1, kCoreExists = 2, kCoreSigned = 3, kCoreLeftShift = 4,
                          kCoreRightShift = 5, kCoreTypeIdLocal = 6, kCoreTypeIdTarget = 7, kCoreTypeExists = 8,
                          kCoreTypeSize = 9, kCoreEnumExists = 10, kCoreEnumValue = 11, kCoreTypeMatches = 12;
inline constexpr std::size_t kMaxCoreSteps = 64;

constexpr bool about_field(uint32_t kind) {
  return kind <= kCoreRightShift;
}
constexpr bool about_type(uint32_t kind) {
  return (kind >= kCoreTypeIdLocal && kind <= kCoreTypeSize) || kind == kCoreTypeMatches;
}
constexpr bool about_enumerator(uint32_t kind) {
  return kind == kCoreEnumExists || kind == kCoreEnumValue;
}

// Broken: the types contradict themselves (cycles, sizes that are not there); the program cannot be loaded.
enum class Fits { no, yes, broken };

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

bool read_path(const Btf& btf, uint32_t root, uint32_t kind, std::string_view text, CorePath& path);
Fits follow_path(const Btf& local, const CorePath& path, uint32_t kind, const Btf& target, uint32_t root,
                 CorePath& out);

struct CoreValue {
  uint64_t value = 0;
  uint32_t size = 0;  // of the memory that is accessed, when the value is an offset
  // What may be loaded with another size and still read the same value.
  enum class Widens { no, pointer, number } widens = Widens::no;
  bool known = true;   // otherwise the instruction must not be reached
  bool exact = false;  // the compiler wrote just this into the instruction
};
// Nothing where the question makes no sense for the types (a shift of what is no member).
std::optional<CoreValue> core_value(const Btf& btf, const CorePath& path, uint32_t kind);
// Where no candidate fits: what is asked of types and of existence is 0, everything else unknown.
CoreValue core_absent(uint32_t kind);

}  // namespace hosa
