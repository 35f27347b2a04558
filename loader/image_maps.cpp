// Maps of an object: definitions in .maps (BTF), in "maps" (five numbers and more), and one map per section of global
// data, in libbpf's order (definitions, data by section, .kconfig), because fingerprints count maps in that order.
#include "loader/program_image.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr uint32_t kMmapable = 1U << 10;  // BPF_F_MMAPABLE, 5.5

bool begins(std::string_view text, std::string_view start) {
  return slice(text, 0, start.size()) == start;
}

// __uint(name, number) is a pointer to an array of so many elements.
std::optional<uint32_t> stated_number(const Btf& btf, uint32_t id) {
  const auto pointer = btf.type(id);
  if (!pointer || pointer->kind != BTF_KIND_PTR) return std::nullopt;
  const auto array = btf.resolved(pointer->size_or_type);
  const auto shape = array ? btf.array(*array) : std::nullopt;
  if (!shape) return std::nullopt;
  return shape->nelems;
}

Result<void> read_definition(ObjectImage& image, const BtfType& definition, ImageMap& map, bool is_inner);

Result<void> read_inner(ObjectImage& image, uint32_t type, ImageMap& map, bool is_inner) {
  const auto array = image.btf.resolved(type);
  const auto shape = array ? image.btf.array(*array) : std::nullopt;
  const auto pointer = shape ? image.btf.resolved(shape->type) : std::nullopt;
  const auto target =
      pointer && pointer->kind == BTF_KIND_PTR ? image.btf.resolved(pointer->size_or_type) : std::nullopt;
  if (!target) return make_error(0, "values of map are of an unknown kind:", map.name.view());
  if (target->kind == BTF_KIND_FUNC_PROTO) return {};
  if (target->kind != BTF_KIND_STRUCT || is_inner) return make_error(0, "maps in maps in maps:", map.name.view());
  ImageMap inner;
  inner.name = map.name;
  inner.name.append(".inner");
  if (const auto read = read_definition(image, *target, inner, true); !read) return read.error();
  if (!image.inner.push_back(inner)) return make_error(ENOMEM, "read maps");
  map.inner = static_cast<uint32_t>(image.inner.size());
  return {};
}

Result<void> read_definition(ObjectImage& image, const BtfType& definition, ImageMap& map, bool is_inner) {
  const Btf& btf = image.btf;
  for (uint32_t i = 0; i < definition.count; ++i) {
    const auto member = btf.member(definition, i);
    if (!member) return make_error(0, "definition of map is broken:", map.name.view());
    const BtfName word = btf.name(member->name);
    const auto number = stated_number(btf, member->type);
    const auto pointer = btf.type(member->type);
    if (word == "values") {
      if (!map.shape.key_bytes) map.shape.key_bytes = 4;
      map.shape.value_bytes = 4;
      if (const auto read = read_inner(image, member->type, map, is_inner); !read) return read.error();
      continue;
    }
    if (word == "key" || word == "value") {
      if (!pointer || pointer->kind != BTF_KIND_PTR)
        return make_error(0, "key or value is no pointer:", map.name.view());
      const auto size = btf.size_of(pointer->size_or_type);
      if (!size) return make_error(0, "key or value has no size:", map.name.view());
      (word == "key" ? map.shape.key_bytes : map.shape.value_bytes) = *size;
      (word == "key" ? map.key_type : map.value_type) = pointer->size_or_type;
      continue;
    }
    if (!number) return make_error(0, "definition of map states no number:", word.view());
    if (word == "type") map.shape.type = *number;
    if (word == "max_entries") map.shape.max_entries = *number;
    if (word == "map_flags") map.shape.flags = *number;
    if (word == "key_size") map.shape.key_bytes = *number;
    if (word == "value_size") map.shape.value_bytes = *number;
    if (word == "map_extra") map.extra = *number;
  }
  return {};
}

Result<void> read_defined(ObjectImage& image) {
  const auto section = image.elf.find_section(".maps");
  if (!section || !image.has_btf) return {};
  const auto id = image.btf.find(".maps", BTF_KIND_DATASEC);
  const auto types = id ? image.btf.type(*id) : std::nullopt;
  if (!types) return make_error(0, "section .maps has no types");
  for (uint32_t i = 0; i < types->count; ++i) {
    const auto place = image.btf.variable(*types, i);
    const auto variable = place ? image.btf.type(place->type) : std::nullopt;
    const auto definition =
        variable && variable->kind == BTF_KIND_VAR ? image.btf.resolved(variable->size_or_type) : std::nullopt;
    if (!definition || definition->kind != BTF_KIND_STRUCT) return make_error(0, "section .maps holds what is no map");
    ImageMap map;
    map.name = image.btf.name(variable->name).view();
    map.section = section->index;
    map.offset = place->offset;
    map.size = place->size;
    for (uint64_t k = 0; k < ElfFile::symbol_count(image.symbols); ++k) {  // clang leaves offsets to the symbols
      const auto symbol = image.elf.symbol(image.symbols, k);
      if (symbol && symbol->section == section->index && map.name == symbol->name) map.offset = symbol->value;
    }
    if (const auto read = read_definition(image, *definition, map, false); !read) return read.error();
    if (!image.maps.push_back(map)) return make_error(ENOMEM, "read maps");
  }
  return {};
}

// Section "maps" of old objects: symbols of one size, five numbers at the start of each.
Result<void> read_legacy(ObjectImage& image) {
  const auto section = image.elf.find_section("maps");
  if (!section) return {};
  for (uint64_t i = 0; i < ElfFile::symbol_count(image.symbols); ++i) {
    const auto symbol = image.elf.symbol(image.symbols, i);
    if (!symbol) return symbol.error();
    if (symbol->section != section->index || symbol->type == STT_SECTION || symbol->name.empty()) continue;
    const auto shape = section->content.read<MapShape>(symbol->value);
    if (!shape) return make_error(0, "map lies outside its section:", symbol->name);
    ImageMap map;
    map.name = symbol->name;
    map.shape = *shape;
    map.section = section->index;
    map.offset = symbol->value;
    map.size = symbol->size;
    if (!image.maps.push_back(map)) return make_error(ENOMEM, "read maps");
  }
  return {};
}

// A map can be mapped when somebody outside may look for one of its variables.
bool has_public_variable(const Btf& btf, const BtfType& section) {
  for (uint32_t i = 0; i < section.count; ++i) {
    const auto place = btf.variable(section, i);
    const auto variable = place ? btf.type(place->type) : std::nullopt;
    if (variable && btf.linkage(*variable).value_or(BTF_VAR_STATIC) != BTF_VAR_STATIC) return true;
  }
  return false;
}

Result<void> add_data(ObjectImage& image, const ElfSection& section, uint64_t size, std::string_view object_name) {
  ImageMap map;
  const bool own = slice(section.name, 1).find('.') != std::string_view::npos;
  if (!own) map.name.append(slice(object_name, 0, section.name.size() > 7 ? 15 - section.name.size() : 8));
  map.name.append(section.name);
  if (size > UINT32_MAX) return make_error(0, "global data is too large:", section.name);
  map.shape = {BPF_MAP_TYPE_ARRAY, 4, static_cast<uint32_t>(size), 1, 0};
  if (begins(section.name, ".rodata")) map.shape.flags |= BPF_F_RDONLY_PROG;
  map.section = section.index;
  map.size = size;
  map.content = section.content;
  map.global_data = true;
  const auto id = image.has_btf ? image.btf.find(section.name, BTF_KIND_DATASEC) : std::nullopt;
  const auto types = id ? image.btf.type(*id) : std::nullopt;
  if (types && has_public_variable(image.btf, *types)) map.shape.flags |= kMmapable;
  if (!image.maps.push_back(map)) return make_error(ENOMEM, "read maps");
  return {};
}

Result<void> read_data(ObjectImage& image, std::string_view object_name) {
  for (uint32_t i = 0; i < image.elf.section_count(); ++i) {
    const auto section = image.elf.section(i);
    if (!section) return section.error();
    const std::string_view name = section->name;
    const bool bss = name == ".bss" || begins(name, ".bss.");
    const bool data = name == ".data" || name == ".rodata" || begins(name, ".data.") || begins(name, ".rodata.");
    if (!(bss && section->type == SHT_NOBITS) && !(data && section->type == SHT_PROGBITS)) continue;
    const uint64_t size = bss ? section->size : section->content.size();
    if (size == 0) continue;
    if (const auto added = add_data(image, *section, size, object_name); !added) return added.error();
  }
  return {};
}

}  // namespace

Result<void> read_image_maps(ObjectImage& image, std::string_view object_name) {
  if (const auto read = read_legacy(image); !read) return read.error();
  if (const auto read = read_defined(image); !read) return read.error();
  if (const auto read = read_data(image, object_name); !read) return read.error();
  uint64_t config = 0;
  for (const ImageExtern& item : image.externs)
    if (item.kconfig) {
      const auto variable = image.btf.type(item.type);
      const auto size = variable ? image.btf.size_of(variable->size_or_type) : std::nullopt;
      if (!size) return make_error(0, "configuration word has no size:", item.name);
      if (item.config_at + uint64_t{*size} > config) config = item.config_at + uint64_t{*size};
    }
  if (config == 0) return {};
  ImageMap map;
  map.name.append(slice(object_name, 0, 7)).append(".kconfig");
  map.shape = {BPF_MAP_TYPE_ARRAY, 4, static_cast<uint32_t>(config), 1, BPF_F_RDONLY_PROG | kMmapable};
  map.size = config;
  map.section = UINT32_MAX;
  map.global_data = true;
  if (!image.maps.push_back(map)) return make_error(ENOMEM, "read maps");
  image.kconfig_map = static_cast<uint32_t>(image.maps.size());
  return {};
}

}  // namespace hosa
