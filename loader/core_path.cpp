#include "loader/core_path.h"

#include "loader/core_compare.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr int kMaxMembersSeen = 100000;  // in one search: nameless members in nameless members

bool composite(uint32_t kind) {
  return kind == BTF_KIND_STRUCT || kind == BTF_KIND_UNION;
}

bool add_index(const Btf& btf, uint32_t type, uint32_t index, CorePath& path) {
  const auto size = btf.size_of(type);
  if (!size) return false;
  path.bits += uint64_t{index} * *size * 8;
  path.last_type = type;
  return path.steps.push_back({type, index, false});
}

// Whether the array is the last member of what was stepped into before, and without length: any index is in it.
bool flexible(const Btf& btf, const CorePath& path, const btf_array& array) {
  if (array.nelems > 0 || path.steps.empty()) return false;
  const CoreStep& last = path.steps[path.steps.size() - 1];
  const auto owner = last.named ? btf.type(last.type) : std::nullopt;
  return owner && last.index + 1 == owner->count;
}

bool step_into(const Btf& btf, uint32_t index, CorePath& path) {
  const auto type = btf.resolved(path.last_type);
  if (!type) return false;
  if (const auto array = btf.array(*type)) {
    if (index >= array->nelems && !flexible(btf, path, *array)) return false;
    return add_index(btf, array->type, index, path);
  }
  const auto member = btf.member(*type, index);
  if (!member) return false;
  path.bits += member->bit_offset;
  path.last_type = member->type;
  return member->name == 0 || path.steps.push_back({type->id, index, true});
}

// The member of that name, also inside members without name.
struct MemberSearch {
  const Btf& local;
  const BtfMember& wanted;
  const BtfName name;
  const Btf& target;
  CorePath& out;
  int left = kMaxMembersSeen;

  Fits search(uint32_t id, int depth) {
    const auto type = target.resolved(id);
    if (!type) return Fits::broken;
    if (!composite(type->kind)) return Fits::no;
    for (uint32_t i = 0; i < type->count; ++i) {
      const auto member = target.member(*type, i);
      if (!member || --left < 0 || depth > kMaxTypeDepth) return Fits::broken;
      if (member->name == 0) {
        out.bits += member->bit_offset;
        const Fits inside = search(member->type, depth + 1);
        if (inside != Fits::no) return inside;
        out.bits -= member->bit_offset;
        continue;
      }
      if (!target.name_is(member->name, name.view())) continue;
      out.bits += member->bit_offset;
      out.last_type = member->type;
      const Fits fits = compatible_fields(local, wanted.type, target, member->type);
      if (fits != Fits::yes) return fits;
      return out.steps.push_back({type->id, i, true}) ? Fits::yes : Fits::broken;
    }
    return Fits::no;
  }
};

Fits follow_member(const Btf& local, const CoreStep& step, const Btf& target, CorePath& out) {
  const auto type = local.type(step.type);
  const auto member = type ? local.member(*type, step.index) : std::nullopt;
  if (!member) return Fits::broken;
  const uint64_t before = out.bits;
  MemberSearch search{local, *member, local.name(member->name), target, out};
  const Fits found = search.search(out.last_type, 0);
  if (found == Fits::no) out.bits = before;
  return found;
}

Fits follow_index(const Btf& target, const CoreStep& step, bool first, CorePath& out) {
  uint32_t element = out.last_type;
  if (!first) {
    const auto type = target.resolved(out.last_type);
    if (!type) return Fits::broken;
    const auto array = target.array(*type);
    if (!array || (step.index >= array->nelems && !flexible(target, out, *array))) return Fits::no;
    element = array->type;
  }
  return add_index(target, element, step.index, out) ? Fits::yes : Fits::broken;
}

Fits follow_enumerator(const Btf& local, const CorePath& path, const Btf& target, CorePath& out) {
  const auto from = local.resolved(path.root), type = target.resolved(out.root);
  const auto wanted = from ? local.enumerator(*from, path.steps[0].index) : std::nullopt;
  if (!wanted || !type) return Fits::broken;
  if (type->kind != BTF_KIND_ENUM && type->kind != kBtfEnum64) return Fits::no;
  for (uint32_t i = 0; i < type->count; ++i) {
    const auto here = target.enumerator(*type, i);
    if (!here) return Fits::broken;
    if (!same_names(local, wanted->name, target, here->name)) continue;
    return out.steps.push_back({type->id, i, true}) ? Fits::yes : Fits::broken;
  }
  return Fits::no;
}

}  // namespace

bool read_path(const Btf& btf, uint32_t root, uint32_t kind, std::string_view text, CorePath& path) {
  path.root = path.last_type = root;
  if (about_type(kind)) return text == "0";
  if (!about_field(kind) && !about_enumerator(kind)) return false;
  bool first = true;
  while (!text.empty()) {
    const auto index = to_number<uint32_t>(take_until(text, ':'));
    if (!index || *index > INT32_MAX) return false;
    if (about_enumerator(kind)) {
      const auto type = btf.resolved(root);
      return text.empty() && type && btf.enumerator(*type, *index) && path.steps.push_back({type->id, *index, true});
    }
    if (!(first ? add_index(btf, root, *index, path) : step_into(btf, *index, path))) return false;
    first = false;
  }
  return !first;
}

Fits follow_path(const Btf& local, const CorePath& path, uint32_t kind, const Btf& target, uint32_t root,
                 CorePath& out) {
  out.root = out.last_type = root;
  if (about_enumerator(kind)) return follow_enumerator(local, path, target, out);
  if (kind == kCoreTypeMatches) return matching_types(local, path.root, target, root);
  if (!about_field(kind)) return compatible_types(local, path.root, target, root);
  for (std::size_t i = 0; i < path.steps.size(); ++i) {
    const CoreStep& step = path.steps[i];
    const Fits fits = step.named ? follow_member(local, step, target, out) : follow_index(target, step, i == 0, out);
    if (fits != Fits::yes) return fits;
  }
  return Fits::yes;
}

}  // namespace hosa
