// Structures of functions for the kernel (struct_ops): which member a program is for, and the map that holds the
// structure as the kernel lays it out (members are found by name), filled with the programs' descriptors. A structure
// that waits for a link (section .struct_ops.link, 6.4) is given to the kernel to check; another would be in use at
// once, so its map stays empty.
#include "loader/core_compare.h"
#include "loader/sys/text.h"
#include "tools/hosa_load/loading.h"

namespace hosa {
namespace {

constexpr uint32_t kLink = 1U << 13;       // BPF_F_LINK, 6.4
constexpr uint32_t kLargestValue = 65536;  // sched_ext_ops, the largest of 6.18, has 600 bytes
constexpr std::string_view kValuePrefix = "bpf_struct_ops_";

// The kernel's structure of that name.
Result<KernelType> kernel_structure(const Loading& loading, std::string_view name) {
  const auto found = loading.kernel.find(without_flavour(name), BTF_KIND_STRUCT);
  if (found) return *found;
  if (!loading.kernel.present()) return make_error(ENOENT, "needs kernel BTF:", name);
  return make_error(ENOTSUP, "not in kernel BTF:", name);
}

// The number of the member of that name.
std::optional<uint32_t> member_number(const Btf& btf, const BtfType& structure, std::string_view name) {
  for (uint32_t i = 0; i < structure.count; ++i) {
    const auto member = btf.member(structure, i);
    if (member && btf.name_is(member->name, without_flavour(name))) return i;
  }
  return std::nullopt;
}

BtfName structure_name(const Loading& loading, const ImageMap& map) {
  const auto type = loading.image.btf.type(map.value_type);
  return type ? loading.image.btf.name(type->name) : BtfName();
}

bool is_zero(Bytes bytes) {
  for (std::size_t i = 0; i < bytes.size(); ++i)
    if (bytes.data()[i] != 0) return false;
  return true;
}

// One member from the object's structure into the kernel's; programs come later.
Result<void> copy_member(const Btf& local, const BtfMember& mine, Bytes from, const Btf& theirs,
                         const BtfType& structure, std::span<unsigned char> out) {
  const BtfName name = local.name(mine.name);
  const auto type = local.resolved(mine.type);
  const auto size = type ? local.size_of(type->id) : std::nullopt;
  const auto bytes = size ? from.part(mine.bit_offset / 8, *size) : std::nullopt;
  if (!bytes) return make_error(EINVAL, "structure of functions is broken at", name.view());
  const auto number = member_number(theirs, structure, name.view());
  const auto member = number ? theirs.member(structure, *number) : std::nullopt;
  if (!member) {
    if (is_zero(*bytes)) return {};
    return make_error(ENOTSUP, "the kernel's structure has no such member:", name.view());
  }
  const auto there = theirs.resolved(member->type);
  if (type->kind == BTF_KIND_PTR) return {};
  const bool same = there && same_kind(there->kind, type->kind) && theirs.size_of(there->id) == size &&
                    mine.bit_size == 0 && member->bit_size == 0;
  if (!same || member->bit_offset / 8 + *size > out.size())
    return make_error(ENOTSUP, "member is of another kind in the kernel's structure:", name.view());
  std::memcpy(out.data() + member->bit_offset / 8, bytes->data(), *size);
  return {};
}

Result<void> fill(const Loading& loading, uint32_t number, const KernelType& type, std::span<unsigned char> out) {
  const ImageMap& map = loading.image.maps[number];
  const Btf &local = loading.image.btf, &theirs = loading.kernel.btf(type.home);
  const auto here = local.type(map.value_type), there = theirs.type(type.id);
  const auto from = loading.image.sections[map.section].content.part(map.offset, map.size);
  if (!here || !there || !from) return make_error(EINVAL, "structure of functions lies outside its section");
  for (uint32_t i = 0; i < here->count; ++i) {
    const auto member = local.member(*here, i);
    if (!member) return make_error(EINVAL, "structure of functions is broken");
    if (const auto copied = copy_member(local, *member, *from, theirs, *there, out); !copied) return copied;
  }
  for (const ImageOperation& operation : loading.image.operations) {
    if (operation.map != number) continue;
    const auto place = operation_place(loading, operation);
    if (!place) return place.error();
    const auto member = theirs.member(*there, place->member);
    const uint64_t at = member ? member->bit_offset / 8 : out.size();
    const auto program = static_cast<uint64_t>(loading.programs[operation.function]);
    if (at + sizeof program > out.size()) return make_error(EINVAL, "the kernel's structure is broken");
    std::memcpy(out.data() + at, &program, sizeof program);
  }
  return {};
}

}  // namespace

Result<OperationPlace> operation_place(const Loading& loading, const ImageOperation& operation) {
  const Btf& local = loading.image.btf;
  const ImageMap& map = loading.image.maps[operation.map];
  const auto found = kernel_structure(loading, structure_name(loading, map).view());
  if (!found) return found.error();
  const Btf& theirs = loading.kernel.btf(found->home);
  const auto here = local.type(map.value_type), there = theirs.type(found->id);
  for (uint32_t i = 0; here && there && i < here->count; ++i) {
    const auto member = local.member(*here, i);
    if (!member || member->bit_offset / 8 != operation.offset) continue;
    const BtfName wanted = local.name(member->name);
    const auto number = member_number(theirs, *there, wanted.view());
    if (!number) return make_error(ENOTSUP, "the kernel's structure has no such member:", wanted.view());
    return OperationPlace{*found, *number};
  }
  return make_error(EINVAL, "no member lies where the function is put");
}

bool want_operations(const ObjectImage& image, const ImageMap& map, KernelTypes& kernel) {
  const auto type = image.btf.type(map.value_type);
  if (!type) return true;
  const BtfName name = image.btf.name(type->name);
  FixedString<255> value(kValuePrefix);
  return kernel.want(name.view()) && kernel.want(value.append(without_flavour(name.view())).view());
}

Result<void> make_operations(Loading& loading, uint32_t number) {
  const ImageMap& map = loading.image.maps[number];
  const BtfName name = structure_name(loading, map);
  const auto structure = kernel_structure(loading, name.view());
  if (!structure) return structure.error();
  FixedString<255> value_name(kValuePrefix);
  const auto value = kernel_structure(loading, value_name.append(without_flavour(name.view())).view());
  if (!value) return value.error();
  const Btf& theirs = loading.kernel.btf(value->home);
  const auto type = theirs.type(value->id);
  const auto at = type ? member_number(theirs, *type, "data") : std::nullopt;
  const auto data = at ? theirs.member(*type, *at) : std::nullopt;
  if (!data || data->bit_offset / 8 > type->size_or_type || type->size_or_type > kLargestValue)
    return make_error(EINVAL, "the kernel's structure is broken:", value_name.view());
  List<unsigned char> bytes;
  for (uint32_t i = 0; i < type->size_or_type; ++i)
    if (!bytes.push_back(0)) return make_error(ENOMEM, "fill map");
  const std::span<unsigned char> room(bytes.data(), bytes.size());
  if (const auto filled = fill(loading, number, *structure, room.subspan(data->bit_offset / 8)); !filled) return filled;
  MapShape shape = map.shape;
  shape.value_bytes = type->size_or_type;
  MapTypes types;
  types.kernel_value = value->id;
  types.btf = object_btf(loading);  // the kernel asks for one although its own types are meant
  if (types.btf < 0) return make_error(EINVAL, "kernel refuses the object's BTF");
  if (value->home != 0) {
    const auto descriptor = loading.kernel.module_descriptor(value->home);
    if (!descriptor) return descriptor.error();
    types.kernel_module = *descriptor;
  }
  auto fd = bpf_create_map(map.name.view(), shape, types);
  if (!fd) return fd.error();
  if ((shape.flags & kLink) == 0) return {};
  const uint32_t first = 0;
  const auto taken = bpf_update(fd->get(), &first, bytes.data());
  if (!taken)  // all is loaded; attaching it would fail
    loading.errors.text(loading.path)
        .text(": the kernel would not use ")
        .text(map.name.view())
        .text(": ")
        .text(taken.error().text().view())
        .text("\n");
  return {};
}

}  // namespace hosa
