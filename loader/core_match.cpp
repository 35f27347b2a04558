#include "loader/core_match.h"

#include "loader/sys/text.h"

namespace hosa {
namespace {

bool about_field(uint32_t kind) {
  return kind <= kCoreRightShift;
}
bool about_enumerator(uint32_t kind) {
  return kind == kCoreEnumExists || kind == kCoreEnumValue;
}
bool composite(uint32_t kind) {
  return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}
bool enumeration(uint32_t kind) {
  return kind == BTF_KIND_ENUM || kind == kBtfEnum64;
}

bool same_names(const Btf& local, uint32_t a, const Btf& target, uint32_t b) {
  const BtfName x = local.name(a), y = target.name(b);
  return without_flavour(x.view()) == without_flavour(y.view());
}

// Two types that one access may stand for.
bool compatible(const Btf& local, uint32_t a, const Btf& target, uint32_t b, bool whole) {
  for (int depth = 0; depth < kMaxTypeDepth; ++depth) {
    const auto x = local.resolved(a), y = target.resolved(b);
    if (!x || !y) return false;
    if (composite(x->kind) && composite(y->kind)) return !whole || x->kind == y->kind;
    if (enumeration(x->kind) && enumeration(y->kind) && whole) return true;
    if (x->kind != y->kind && !(enumeration(x->kind) && enumeration(y->kind))) return false;
    switch (x->kind) {
      case BTF_KIND_UNKN:
      case BTF_KIND_FLOAT:
      case BTF_KIND_INT: return true;
      case BTF_KIND_FWD:
      case BTF_KIND_ENUM:
      case kBtfEnum64: return x->name == 0 || y->name == 0 || same_names(local, x->name, target, y->name);
      case BTF_KIND_FUNC_PROTO: return whole && x->count == y->count;
      case BTF_KIND_PTR:
        if (!whole) return true;
        a = x->size_or_type;
        b = y->size_or_type;
        break;
      case BTF_KIND_ARRAY: {
        const auto p = local.array(*x), q = target.array(*y);
        if (!p || !q) return false;
        a = p->type;
        b = q->type;
        break;
      }
      default: return false;
    }
  }
  return false;
}

bool add_index(const Btf& btf, uint32_t type, uint32_t index, CorePath& path) {
  if (index != 0) {
    const auto size = btf.size_of(type);
    if (!size) return false;
    path.bits += uint64_t{index} * *size * 8;
  }
  path.last_type = type;
  return path.steps.push_back({type, index, false});
}

bool step_into(const Btf& btf, uint32_t index, CorePath& path) {
  const auto type = btf.resolved(path.last_type);
  if (!type) return false;
  if (const auto array = btf.array(*type)) return add_index(btf, array->type, index, path);
  const auto member = btf.member(*type, index);
  if (!member) return false;
  path.bits += member->bit_offset;
  path.last_type = member->type;
  return member->name == 0 || path.steps.push_back({type->id, index, true});
}

// The member of that name, also inside members without name.
bool find_member(const Btf& local, const BtfMember& wanted, const Btf& target, uint32_t id, CorePath& out, int depth) {
  const auto type = target.resolved(id);
  if (!type || !composite(type->kind) || depth > 16) return false;
  const BtfName name = local.name(wanted.name);
  for (uint32_t i = 0; i < type->count; ++i) {
    const auto member = target.member(*type, i);
    if (!member) return false;
    if (member->name == 0) {
      CorePath inside = out;
      inside.bits += member->bit_offset;
      if (!find_member(local, wanted, target, member->type, inside, depth + 1)) continue;
      out = inside;
      return true;
    }
    if (!(target.name(member->name) == name)) continue;
    if (!compatible(local, wanted.type, target, member->type, false)) return false;
    out.bits += member->bit_offset;
    out.last_type = member->type;
    return out.steps.push_back({type->id, i, true});
  }
  return false;
}

bool follow_enumerator(const Btf& local, const CorePath& path, const Btf& target, CorePath& out) {
  const auto from = local.resolved(path.root), type = target.resolved(out.root);
  const auto wanted = from ? local.enumerator(*from, path.steps[0].index) : std::nullopt;
  for (uint32_t i = 0; wanted && type && i < type->count; ++i) {
    const auto here = target.enumerator(*type, i);
    if (here && same_names(local, wanted->name, target, here->name)) return out.steps.push_back({type->id, i, true});
  }
  return false;
}

bool is_signed(const Btf& btf, const BtfType& type) {
  if (enumeration(type.kind)) return type.flag;
  return (btf.integer(type).value_or(0) >> 24 & BTF_INT_SIGNED) != 0;
}

CoreValue field_value(const Btf& btf, const CorePath& path, uint32_t kind) {
  const auto type = btf.resolved(path.last_type);
  const CoreStep& last = path.steps[path.steps.size() - 1];
  const auto owner = btf.type(last.type);
  const auto member = last.named && owner ? btf.member(*owner, last.index) : std::nullopt;
  const auto whole = type ? btf.size_of(type->id) : std::nullopt;
  if (!type || !whole) return {};
  const uint32_t bit_size = member ? member->bit_size : 0;
  const bool bits = bit_size > 0;
  const uint64_t width = bits ? bit_size : uint64_t{*whole} * 8;
  uint64_t size = *whole, offset = path.bits / 8;
  if (bits) {
    if (size == 0) return {};
    offset = path.bits / 8 / size * size;
    while (path.bits + width - offset * 8 > size * 8) {
      size *= 2;
      if (size > 8) return {};
      offset = path.bits / 8 / size * size;
    }
  }
  const bool resizable = type->kind == BTF_KIND_PTR || (type->kind == BTF_KIND_INT && !is_signed(btf, *type));
  if (kind == kCoreByteOffset)
    return {offset, bits ? 0 : static_cast<uint32_t>(size), resizable && size <= 8 && (size & (size - 1)) == 0, true};
  if (kind == kCoreByteSize) return {size, 0, false, true};
  if (!member) return {};
  if (kind == kCoreSigned) return {is_signed(btf, *type) ? 1U : 0U, 0, false, true};
  if (kind == kCoreLeftShift) return {64 - (path.bits + width - offset * 8), 0, false, true};
  return {64 - width, 0, false, true};
}

}  // namespace

bool read_path(const Btf& btf, uint32_t root, uint32_t kind, std::string_view text, CorePath& path) {
  path.root = path.last_type = root;
  if (!about_field(kind) && !about_enumerator(kind)) return kind <= kCoreTypeMatches && text == "0";
  bool first = true;
  while (!text.empty()) {
    const auto index = to_number<uint32_t>(take_until(text, ':'));
    if (!index) return false;
    if (about_enumerator(kind)) {
      const auto type = btf.resolved(root);
      return text.empty() && type && btf.enumerator(*type, *index) && path.steps.push_back({type->id, *index, true});
    }
    if (!(first ? add_index(btf, root, *index, path) : step_into(btf, *index, path))) return false;
    first = false;
  }
  return !first;
}

bool follow_path(const Btf& local, const CorePath& path, uint32_t kind, const Btf& target, uint32_t root,
                 CorePath& out) {
  out.root = out.last_type = root;
  if (about_enumerator(kind)) return follow_enumerator(local, path, target, out);
  if (!about_field(kind)) return compatible(local, path.root, target, root, true);
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    const CoreStep& step = path.steps[i];
    if (step.named) {
      const auto type = local.type(step.type);
      const auto member = type ? local.member(*type, step.index) : std::nullopt;
      if (!member || !find_member(local, *member, target, out.last_type, out, 0)) return false;
      continue;
    }
    uint32_t element = root;
    if (i > 0) {
      const auto type = target.resolved(out.last_type);
      const auto array = type ? target.array(*type) : std::nullopt;
      if (!array || (array->nelems != 0 && step.index >= array->nelems)) return false;
      element = array->type;
    }
    if (!add_index(target, element, step.index, out)) return false;
  }
  return true;
}

CoreValue core_value(const Btf& btf, const CorePath& path, uint32_t kind) {
  switch (kind) {
    case kCoreExists:
    case kCoreTypeExists:
    case kCoreTypeMatches:
    case kCoreEnumExists: return {1, 0, false, true};
    case kCoreTypeIdLocal:
    case kCoreTypeIdTarget: return {path.root, 0, false, true};
    case kCoreTypeSize: {
      const auto size = btf.size_of(path.root);
      return {size.value_or(0), 0, false, size.has_value()};
    }
    case kCoreEnumValue: {
      const auto type = btf.resolved(path.root);
      const auto item = type && !path.steps.empty() ? btf.enumerator(*type, path.steps[0].index) : std::nullopt;
      return item ? CoreValue{item->value, 0, false, true} : CoreValue{};
    }
    default: return path.steps.empty() ? CoreValue{} : field_value(btf, path, kind);
  }
}

CoreValue core_absent(uint32_t kind) {
  const bool asks =
      kind == kCoreExists || kind == kCoreTypeExists || kind == kCoreTypeMatches || kind == kCoreEnumExists;
  return {0, 0, false, asks};
}

}  // namespace hosa
