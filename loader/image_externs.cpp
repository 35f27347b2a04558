// What an object expects from outside: kernel configuration (.kconfig), kernel variables and functions (.ksyms).
#include <algorithm>

#include "loader/program_image.h"

namespace hosa {
namespace {

// The section of types and the type of an extern; false when BTF does not know it.
bool find_extern(const Btf& btf, std::string_view section_name, ImageExtern& item) {
  const auto id = btf.find(section_name, BTF_KIND_DATASEC);
  const auto section = id ? btf.type(*id) : std::nullopt;
  for (uint32_t i = 0; section && i < section->count; ++i) {
    const auto place = btf.variable(*section, i);
    const auto type = place ? btf.type(place->type) : std::nullopt;
    if (!type || !(btf.name(type->name) == item.name)) continue;
    item.type = type->id;
    return true;
  }
  return false;
}

// Offsets in .kconfig: widest alignment first, then widest, then by name, as libbpf lays them out.
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
    if (!size || !element || element->size_or_type == 0 || element->size_or_type > 8)
      return make_error(0, "configuration word is of an unknown type:", image.externs[i].name);
    if (!slots.push_back({i, *size, element->size_or_type})) return make_error(ENOMEM, "read externs");
  }
  std::sort(slots.begin(), slots.end(), [&](const Slot& a, const Slot& b) {
    if (a.alignment != b.alignment) return a.alignment > b.alignment;
    if (a.size != b.size) return a.size < b.size;
    return image.externs[a.item].name < image.externs[b.item].name;
  });
  uint64_t at = 0;
  for (const Slot& slot : slots) {
    at = (at + slot.alignment - 1) / slot.alignment * slot.alignment;
    image.externs[slot.item].config_at = static_cast<uint32_t>(at);
    at += slot.size;
  }
  if (at > UINT32_MAX) return make_error(0, "configuration words are too large");
  return {};
}

}  // namespace

Result<void> read_image_externs(ObjectImage& image) {
  for (uint64_t i = 1; i < ElfFile::symbol_count(image.symbols); ++i) {
    const auto symbol = image.elf.symbol(image.symbols, i);
    if (!symbol) return symbol.error();
    if (symbol->section != SHN_UNDEF || symbol->name.empty() || !image.has_btf) continue;
    const auto raw = image.symbols.content.read<Elf64_Sym>(i * sizeof(Elf64_Sym));
    ImageExtern item;
    item.name = symbol->name;
    item.symbol = static_cast<uint32_t>(i);
    item.weak = raw && ELF64_ST_BIND(raw->st_info) == STB_WEAK;
    if (find_extern(image.btf, ".kconfig", item))
      item.kconfig = true;
    else if (!find_extern(image.btf, ".ksyms", item))
      continue;
    if (!image.externs.push_back(item)) return make_error(ENOMEM, "read externs");
  }
  return place_config(image);
}

}  // namespace hosa
