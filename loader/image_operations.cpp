// Structures of functions that programs give the kernel (struct_ops): one variable of section .struct_ops per
// structure, its members filled by relocations against programs.
#include <algorithm>

#include "loader/program_image.h"

namespace hosa {
namespace {

constexpr uint32_t kLink = 1U << 13;  // BPF_F_LINK, 6.4

Result<void> read_structure(ObjectImage& image, const ElfSection& section, bool linked, const btf_var_secinfo& place) {
  const auto variable = image.btf.type(place.type);
  const auto type =
      variable && variable->kind == BTF_KIND_VAR ? image.btf.resolved(variable->size_or_type) : std::nullopt;
  if (!type || type->kind != BTF_KIND_STRUCT) return make_error(0, "section holds what is no structure:", section.name);
  ImageMap map;
  map.name = image.btf.name(variable->name).view();
  map.section = section.index;
  map.offset = place.offset;
  const ImageSymbol* const symbol = linked ? nullptr : image.find_symbol(map.name.view(), section.index);
  if (symbol != nullptr) map.offset = symbol->value;
  map.size = type->size_or_type;
  map.shape = {BPF_MAP_TYPE_STRUCT_OPS, 4, type->size_or_type, 1, 0};
  if (section.name.find(".link") != std::string_view::npos) map.shape.flags = kLink;
  map.operations = true;
  map.value_type = type->id;
  return image.maps.push_back(map) ? Result<void>() : make_error(ENOMEM, "read maps");
}

}  // namespace

Result<void> read_operations(ObjectImage& image) {
  for (const ElfSection& section : image.sections) {
    const std::string_view name = section.name;
    const bool wanted = section.type == SHT_PROGBITS && (name == ".struct_ops" || name == ".struct_ops.link" ||
                                                         name == "?.struct_ops" || name == "?.struct_ops.link");
    const auto id = wanted && image.has_btf ? image.btf.find(name, BTF_KIND_DATASEC) : std::nullopt;
    const auto types = id ? image.btf.type(*id) : std::nullopt;
    for (uint32_t i = 0; types && i < types->count; ++i) {
      const auto place = image.btf.variable(*types, i);
      if (!place) return make_error(0, "section has no types:", name);
      if (const auto read = read_structure(image, section, types->size_or_type != 0, *place); !read) return read;
    }
  }
  return {};
}

Result<void> read_operation_programs(ObjectImage& image) {
  for (const ImageRelocation& relocation : image.relocations) {
    const auto map = image.map_around(relocation.section, relocation.offset);
    if (!map || !image.maps[*map].operations) continue;
    const ImageSymbol& symbol = image.symbols[relocation.symbol];
    const auto function = image.function_at(symbol.section, symbol.value);
    if (!function) continue;
    const auto at = static_cast<uint32_t>(relocation.offset - image.maps[*map].offset);
    if (!image.operations.push_back({*function, *map, at})) return make_error(ENOMEM, "read operations");
  }
  image.operations.sort([](const ImageOperation& a, const ImageOperation& b) {
    return a.function != b.function ? a.function < b.function : a.map < b.map;
  });
  return {};
}

const ImageOperation* ObjectImage::operation_of(uint32_t function) const {
  const auto* const found =
      std::lower_bound(operations.begin(), operations.end(), function,
                       [](const ImageOperation& a, uint32_t wanted) { return a.function < wanted; });
  return found != operations.end() && found->function == function ? found : nullptr;
}

}  // namespace hosa
