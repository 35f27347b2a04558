// What an object expects from outside: kernel configuration (.kconfig), kernel variables and functions (.ksyms).
#include <algorithm>

#include "loader/program_image.h"

namespace hosa {
namespace {

constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;

Result<void> read_expected(const Btf& btf, std::string_view section_name, List<uint32_t>& out) {
  const auto id = btf.find(section_name, BTF_KIND_DATASEC);
  const auto section = id ? btf.type(*id) : std::nullopt;
  for (uint32_t i = 0; section && i < section->count; ++i) {
    const auto place = btf.variable(*section, i);
    const auto type = place ? btf.type(place->type) : std::nullopt;
    if (!type || (type->kind != BTF_KIND_VAR && type->kind != BTF_KIND_FUNC))
      return make_error(0, "section of externs holds what is none:", section_name);
    if (!out.push_back(type->id)) return make_error(ENOMEM, "read externs");
  }
  out.sort([](uint32_t a, uint32_t b) { return a < b; });
  return {};
}

// The type of an extern, if it is of that section. Names are unique among the externs of an object.
std::optional<uint32_t> find_extern(const Btf& btf, const List<uint32_t>& expected, std::string_view name) {
  for (const uint32_t kind : {uint32_t{BTF_KIND_VAR}, uint32_t{BTF_KIND_FUNC}}) {
    const auto id = btf.find(name, kind);
    if (id && std::binary_search(expected.begin(), expected.end(), *id)) return id;
  }
  return std::nullopt;
}

// Offsets in .kconfig: widest alignment first, then narrowest, then by name, as libbpf lays them out.
Result<void> place_config(ObjectImage& image) {
  struct Slot {
    uint32_t item, size, alignment;
  };
  List<Slot> slots;
  for (uint32_t i = 0; i < image.externs.size(); ++i) {
    if (!image.externs[i].kconfig) continue;
    const auto variable = image.btf.type(image.externs[i].type);
    const auto size = variable ? image.btf.size_of(variable->size_or_type) : std::nullopt;
    auto element = variable ? image.btf.resolved(variable->size_or_type) : std::nullopt;
    if (const auto array = element ? image.btf.array(*element) : std::nullopt)
      element = image.btf.resolved(array->type);
    if (!size || *size == 0 || !element || element->size_or_type == 0 || element->size_or_type > 8)
      return make_error(0, "configuration word is of an unknown type:", image.externs[i].name);
    if (!slots.push_back({i, *size, element->size_or_type})) return make_error(ENOMEM, "read externs");
  }
  slots.sort([&](const Slot& a, const Slot& b) {
    if (a.alignment != b.alignment) return a.alignment > b.alignment;
    if (a.size != b.size) return a.size < b.size;
    return image.externs[a.item].name < image.externs[b.item].name;
  });
  uint64_t at = 0;
  for (const Slot& slot : slots) {
    at = (at + slot.alignment - 1) / slot.alignment * slot.alignment;
    image.externs[slot.item].config_at = static_cast<uint32_t>(at);
    at += slot.size;
    if (at > kMaxConfigBytes) return make_error(0, "configuration words are together larger than 1 MB");
  }
  return {};
}

}  // namespace

Result<void> read_image_externs(ObjectImage& image) {
  if (!image.has_btf) return {};
  List<uint32_t> config, kernel;
  if (const auto read = read_expected(image.btf, ".kconfig", config); !read) return read;
  if (const auto read = read_expected(image.btf, ".ksyms", kernel); !read) return read;
  if (config.empty() && kernel.empty()) return {};
  for (uint32_t i = 1; i < image.symbols.size(); ++i) {
    const ImageSymbol& symbol = image.symbols[i];
    if (symbol.section != SHN_UNDEF || symbol.name.empty()) continue;
    ImageExtern item{symbol.name, i, symbol.binding == STB_WEAK};
    const auto word = find_extern(image.btf, config, symbol.name);
    const auto type = word ? word : find_extern(image.btf, kernel, symbol.name);
    if (!type) continue;
    item.kconfig = word.has_value();
    item.type = *type;
    if (!image.externs.push_back(item)) return make_error(ENOMEM, "read externs");
  }
  return place_config(image);
}

std::optional<uint32_t> ObjectImage::extern_of(uint32_t symbol) const {
  const auto* const found = std::lower_bound(externs.begin(), externs.end(), symbol,
                                             [](const ImageExtern& a, uint32_t wanted) { return a.symbol < wanted; });
  if (found == externs.end() || found->symbol != symbol) return std::nullopt;
  return static_cast<uint32_t>(found - externs.begin());
}

}  // namespace hosa
