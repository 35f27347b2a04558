// What BTF the running kernel takes, and how to do with less.
#include "loader/kernel_btf.h"
#include "loader/load.h"
#include "loader/sys/mapping.h"

namespace hosa {
namespace {

constexpr uint32_t info(uint32_t kind, uint32_t count) {
  return kind << 24 | count;
}

// An int of four bytes, then the types given; the strings are "", "int" (at 1) and "?.x" (at 5).
bool takes(std::span<const uint32_t> types) {
  constexpr uint32_t kInt[] = {1, info(BTF_KIND_INT, 0), 4, BTF_INT_SIGNED << 24 | 32};
  constexpr char kStrings[] = "\0int\0?.x";
  const auto type_bytes = static_cast<uint32_t>(sizeof kInt + types.size_bytes());
  const btf_header header{BTF_MAGIC, BTF_VERSION, 0, sizeof(btf_header), 0, type_bytes, type_bytes, sizeof kStrings};
  List<unsigned char> bytes;
  const bool room = bytes.append(reinterpret_cast<const unsigned char*>(&header), sizeof header) &&
                    bytes.append(reinterpret_cast<const unsigned char*>(kInt), sizeof kInt) &&
                    bytes.append(reinterpret_cast<const unsigned char*>(types.data()), types.size_bytes()) &&
                    bytes.append(kStrings, sizeof kStrings);
  return room && bpf_load_btf({bytes.data(), bytes.size()}).has_value();
}

void put(List<unsigned char>& bytes, uint64_t at, uint32_t value) {
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// A four-byte number of the object; types that must name one do.
uint32_t some_int(const Btf& btf) {
  for (uint32_t id = 1; id < btf.count(); ++id) {
    const auto type = btf.type(id);
    if (type && type->kind == BTF_KIND_INT && type->size_or_type == 4) return id;
  }
  return 0;
}

void replace_section(const Btf& btf, const BtfType& section, List<unsigned char>& bytes) {
  put(bytes, section.tail - 12, 0);
  put(bytes, section.tail - 8, info(BTF_KIND_STRUCT, section.count));
  for (uint32_t i = 0; i < section.count; ++i) {
    const auto place = btf.variable(section, i);
    uint32_t offset = 0;
    std::memcpy(&offset, bytes.data() + section.tail + uint64_t{i} * 12 + 4, sizeof offset);
    const auto variable = place ? btf.type(place->type) : std::nullopt;
    put(bytes, section.tail + uint64_t{i} * 12, variable ? variable->name : 0);
    put(bytes, section.tail + uint64_t{i} * 12 + 4, place ? place->type : 0);
    put(bytes, section.tail + uint64_t{i} * 12 + 8, offset * 8);
  }
}

void replace_enumeration(const BtfType& type, uint32_t number, List<unsigned char>& bytes) {
  put(bytes, type.tail - 8, info(BTF_KIND_UNION, type.count));
  for (uint32_t i = 0; i < type.count; ++i) {
    put(bytes, type.tail + uint64_t{i} * 12 + 4, number);
    put(bytes, type.tail + uint64_t{i} * 12 + 8, 0);
  }
}

void replace_as_int(const BtfType& type, List<unsigned char>& bytes) {
  put(bytes, type.tail - 8, info(BTF_KIND_INT, 0));
  put(bytes, type.tail - 4, 1);
  put(bytes, type.tail, 8);
}

}  // namespace

BtfFeatures probe_btf_features() {
  constexpr uint32_t kVariable[] = {1, info(BTF_KIND_VAR, 0), 1, BTF_VAR_STATIC};
  constexpr uint32_t kFunction[] = {0, info(BTF_KIND_FUNC_PROTO, 0), 0, 1, info(BTF_KIND_FUNC, BTF_FUNC_GLOBAL), 2};
  constexpr uint32_t kFloat[] = {1, info(BTF_KIND_FLOAT, 0), 4};
  constexpr uint32_t kTag[] = {1, info(BTF_KIND_VAR, 0), 1, BTF_VAR_STATIC, 1, info(BTF_KIND_DECL_TAG, 0), 2, ~0U};
  constexpr uint32_t kTypeTag[] = {1, info(BTF_KIND_TYPE_TAG, 0), 1, 0, info(BTF_KIND_PTR, 0), 2};
  constexpr uint32_t kWide[] = {1, info(kBtfEnum64, 1), 8, 1, 0, 0};
  constexpr uint32_t kMark[] = {1, info(BTF_KIND_VAR, 0), 1, BTF_VAR_STATIC, 5, info(BTF_KIND_DATASEC, 1), 4, 2, 0, 4};
  BtfFeatures features;
  features.variables = takes(kVariable);
  features.global_functions = takes(kFunction);
  features.floats = takes(kFloat);
  features.declaration_tags = features.variables && takes(kTag);
  features.type_tags = takes(kTypeTag);
  features.wide_enumerations = takes(kWide);
  features.question_marks = features.variables && takes(kMark);
  return features;
}

void replace_kinds(const Btf& btf, const BtfFeatures& features, List<unsigned char>& bytes) {
  const uint32_t number = some_int(btf);
  for (uint32_t id = 1; id < btf.count(); ++id) {
    const auto type = btf.type(id);
    if (!type) return;
    uint32_t now = 0;  // externs may be disguised already
    std::memcpy(&now, bytes.data() + type->tail - 8, sizeof now);
    if (now >> 24 != type->kind && type->kind == BTF_KIND_DATASEC) continue;
    switch (type->kind) {
      case BTF_KIND_VAR:
        if (!features.variables) replace_as_int(*type, bytes);
        break;
      case BTF_KIND_DATASEC:
        if (!features.variables)
          replace_section(btf, *type, bytes);
        else if (!features.question_marks && btf.name(type->name).view().find('?') == 0)
          bytes[btf.strings_at() + type->name] = '_';
        break;
      case BTF_KIND_FUNC:
        if (!features.global_functions) put(bytes, type->tail - 8, info(BTF_KIND_FUNC, 0));
        break;
      case BTF_KIND_FLOAT:
        if (!features.floats) {
          put(bytes, type->tail - 12, 0);
          put(bytes, type->tail - 8, info(BTF_KIND_STRUCT, 0));
        }
        break;
      case BTF_KIND_DECL_TAG:
        if (!features.declaration_tags) replace_as_int(*type, bytes);
        break;
      case BTF_KIND_TYPE_TAG:
        if (!features.type_tags) {
          put(bytes, type->tail - 12, 0);
          put(bytes, type->tail - 8, info(BTF_KIND_CONST, 0));
        }
        break;
      case kBtfEnum64:
        if (!features.wide_enumerations) replace_enumeration(*type, number, bytes);
        break;
      default: break;
    }
  }
}

Result<Fd> load_object_btf(const ObjectImage& image) {
  List<unsigned char> bytes;
  if (!btf_for_kernel(image, bytes)) return make_error(ENOMEM, "load BTF");
  auto fd = bpf_load_btf({bytes.data(), bytes.size()});
  if (fd) return fd;
  replace_kinds(image.btf, probe_btf_features(), bytes);
  auto again = bpf_load_btf({bytes.data(), bytes.size()});
  if (again) return again;
  auto log = Mapping::of_memory(std::size_t{1} << 20);
  if (!log) return again;
  const std::span<char> room(reinterpret_cast<char*>(log->data()), log->size());
  Error error = again.error();
  (void)bpf_load_btf({bytes.data(), bytes.size()}, room).has_value();
  error.subject = verifier_complaint({room.data(), ::strnlen(room.data(), room.size())});
  return error;
}

}  // namespace hosa
