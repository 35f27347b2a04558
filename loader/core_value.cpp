// What a path comes to: offsets, sizes, shifts, signs, identifiers, values.
#include "loader/core_path.h"

namespace hosa {
namespace {

using Widens = CoreValue::Widens;

bool is_signed(const Btf& btf, const BtfType& type) {
  if (type.kind == BTF_KIND_ENUM || type.kind == kBtfEnum64) return type.flag;
  return (btf.integer(type).value_or(0) >> 24 & BTF_INT_SIGNED) != 0;
}

// A pointer, or a number whose only encoding is not "signed".
Widens widens(const Btf& btf, const BtfType& type) {
  if (type.kind == BTF_KIND_PTR) return Widens::pointer;
  if (type.kind != BTF_KIND_INT) return Widens::no;
  return btf.integer(type).value_or(0) >> 24 == BTF_INT_SIGNED ? Widens::no : Widens::number;
}

// Loads of an array read an element of it.
std::optional<uint32_t> element_size(const Btf& btf, uint32_t id) {
  for (int depth = 0; depth < kMaxTypeDepth; ++depth) {
    const auto type = btf.resolved(id);
    if (!type) return std::nullopt;
    const auto array = btf.array(*type);
    if (!array) return btf.size_of(type->id);
    id = array->type;
  }
  return std::nullopt;
}

std::optional<CoreValue> offset_value(const Btf& btf, const BtfType& type, uint64_t offset) {
  const auto size = element_size(btf, type.id);
  if (!size) return std::nullopt;
  return CoreValue{offset, *size, widens(btf, type), true, true};
}

std::optional<CoreValue> element_value(const Btf& btf, const CorePath& path, uint32_t kind) {
  const auto type = btf.resolved(path.last_type);
  if (!type) return std::nullopt;
  if (kind == kCoreByteOffset) return offset_value(btf, *type, path.bits / 8);
  const auto size = btf.size_of(type->id);
  if (kind != kCoreByteSize || !size) return std::nullopt;
  return CoreValue{*size, 0, Widens::no, true, true};
}

// The smallest aligned number that holds all bits of a bit field.
struct Unit {
  uint64_t offset, size;
};
std::optional<Unit> unit_of(uint64_t bits, uint32_t width, uint64_t size) {
  if (size == 0) return std::nullopt;
  uint64_t offset = bits / 8 / size * size;
  while (bits + width - offset * 8 > size * 8) {
    if (size >= 8) return std::nullopt;
    size *= 2;
    offset = bits / 8 / size * size;
  }
  return Unit{offset, size};
}

std::optional<CoreValue> member_value(const Btf& btf, const CorePath& path, const BtfMember& member, uint32_t kind) {
  const auto type = btf.resolved(path.last_type);
  const auto whole = type ? btf.size_of(type->id) : std::nullopt;
  if (!whole) return std::nullopt;
  const bool bits = member.bit_size > 0;
  const uint64_t width = bits ? member.bit_size : uint64_t{*whole} * 8;
  const auto unit = bits ? unit_of(path.bits, member.bit_size, *whole) : std::optional(Unit{path.bits / 8, *whole});
  if (!unit) return std::nullopt;
  switch (kind) {
    case kCoreByteOffset:
      if (!bits) return offset_value(btf, *type, unit->offset);
      return CoreValue{unit->offset, 0, Widens::no, true, false};
    case kCoreByteSize: return CoreValue{unit->size, 0, Widens::no, true, !bits};
    case kCoreSigned: return CoreValue{is_signed(btf, *type) ? 1U : 0U, 0, Widens::no, true, true};
    case kCoreLeftShift:  // in 32 bits, as whole structures (which nobody shifts) are larger than 64
      return CoreValue{static_cast<uint32_t>(64 - (path.bits + width - unit->offset * 8)), 0, Widens::no, true, !bits};
    case kCoreRightShift: return CoreValue{static_cast<uint32_t>(64 - width), 0, Widens::no, true, true};
    default: return std::nullopt;
  }
}

std::optional<CoreValue> enumerator_value(const Btf& btf, const CorePath& path) {
  const auto type = btf.resolved(path.root);
  const auto item = type && !path.steps.empty() ? btf.enumerator(*type, path.steps[0].index) : std::nullopt;
  if (!item) return std::nullopt;
  return CoreValue{item->value, 0, Widens::no, true, true};
}

}  // namespace

std::optional<CoreValue> core_value(const Btf& btf, const CorePath& path, uint32_t kind) {
  switch (kind) {
    case kCoreExists:
    case kCoreTypeExists:
    case kCoreTypeMatches:
    case kCoreEnumExists: return CoreValue{1, 0, Widens::no, true, true};
    case kCoreTypeIdLocal:
    case kCoreTypeIdTarget: return CoreValue{path.root, 0, Widens::no, true, false};
    case kCoreEnumValue: return enumerator_value(btf, path);
    case kCoreTypeSize: {
      const auto size = btf.size_of(path.root);
      if (!size) return std::nullopt;
      return CoreValue{*size, 0, Widens::no, true, true};
    }
    default: break;
  }
  if (path.steps.empty()) return std::nullopt;
  const CoreStep& last = path.steps[path.steps.size() - 1];
  if (!last.named) return element_value(btf, path, kind);
  const auto owner = btf.type(last.type);
  const auto member = owner ? btf.member(*owner, last.index) : std::nullopt;
  if (!member) return std::nullopt;
  return member_value(btf, path, *member, kind);
}

CoreValue core_absent(uint32_t kind) {
  return {0, 0, Widens::no, kind == kCoreExists || kind == kCoreEnumExists || about_type(kind), false};
}

}  // namespace hosa
