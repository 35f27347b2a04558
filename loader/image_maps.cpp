// Maps of an object: definitions in .maps (BTF), in "maps" (five numbers and more), and one map per section of global
// data, in libbpf's order (definitions, data by section, .kconfig, struct_ops), because fingerprints count maps in that
// order.
#include <algorithm>

#include "loader/program_image.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr uint32_t kMmapable = 1U << 10;  // BPF_F_MMAPABLE, 5.5
constexpr std::size_t kKernelName = BPF_OBJ_NAME_LEN - 1;

bool begins(std::string_view text, std::string_view start) {
  return slice(text, 0, start.size()) == start;
}

bool is_section(std::string_view name, std::string_view kind) {
  return begins(name, kind) && (name.size() == kind.size() || name[kind.size()] == '.');
}

// Section "maps" of old objects: symbols of one size, five numbers at the start of each.
Result<void> read_legacy(ObjectImage& image) {
  const ElfSection* const section = image.find_section("maps");
  if (section == nullptr) return {};
  for (const ImageSymbol& symbol : image.symbols) {
    if (symbol.section != section->index || symbol.type == STT_SECTION || symbol.name.empty()) continue;
    const auto shape = section->content.read<MapShape>(symbol.value);
    if (!shape) return make_error(0, "map lies outside its section:", symbol.name);
    ImageMap map;
    map.name = symbol.name;
    map.shape = *shape;
    map.section = section->index;
    map.offset = symbol.value;
    map.size = symbol.size;
    if (!image.maps.push_back(map)) return make_error(ENOMEM, "read maps");
  }
  return {};
}

// A map can be mapped when somebody outside may look for one of its variables.
bool has_public_variable(const ObjectImage& image, const BtfType& section, uint32_t index) {
  for (uint32_t i = 0; i < section.count; ++i) {
    const auto place = image.btf.variable(section, i);
    const auto variable = place ? image.btf.type(place->type) : std::nullopt;
    if (!variable || image.btf.linkage(*variable).value_or(BTF_VAR_STATIC) == BTF_VAR_STATIC) continue;
    const ImageSymbol* const symbol = image.find_symbol(image.btf.name(variable->name).view(), index);
    if (symbol == nullptr || !symbol->hidden) return true;
  }
  return false;
}

// "object.rodata": as much of the object's name as the kernel has room for beside seven letters or more. Sections with
// a name of their own (".data.custom") give theirs whole.
void name_data(ImageMap& map, std::string_view section, std::string_view object) {
  FixedString<255> whole;
  const std::size_t suffix = section.size() < 7 ? 7 : section.size();
  const bool own = slice(section, 1).find('.') != std::string_view::npos;
  if (own) {
    map.name = section;
    return;
  }
  if (suffix < kKernelName) whole.append(slice(object, 0, kKernelName - suffix));
  whole.append(slice(section, 0, kKernelName));
  for (const char letter : whole.view()) {
    const bool word = (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= 'a' && letter <= 'z') || letter == '_' || letter == '.';
    map.name.append(std::string_view(word ? &letter : "_", 1));
  }
}

Result<void> add_data(ObjectImage& image, const ElfSection& section, std::string_view object_name) {
  ImageMap map;
  name_data(map, section.name, object_name);
  if (section.size > INT32_MAX) return make_error(0, "global data is too large:", section.name);
  map.shape = {BPF_MAP_TYPE_ARRAY, 4, static_cast<uint32_t>(section.size), 1, 0};
  if (begins(section.name, ".rodata")) map.shape.flags |= BPF_F_RDONLY_PROG;
  map.section = section.index;
  map.size = section.size;
  map.content = section.content;
  map.global_data = true;
  const auto id = image.has_btf ? image.btf.find(section.name, BTF_KIND_DATASEC) : std::nullopt;
  const auto types = id ? image.btf.type(*id) : std::nullopt;
  if (types) map.value_type = *id;
  if (types && has_public_variable(image, *types, section.index)) map.shape.flags |= kMmapable;
  if (!image.maps.push_back(map)) return make_error(ENOMEM, "read maps");
  return {};
}

Result<void> read_data(ObjectImage& image, std::string_view object_name) {
  for (const ElfSection& section : image.sections) {
    if (section.size == 0 || (section.flags & SHF_EXECINSTR) != 0) continue;
    const bool zeroed = section.type == SHT_NOBITS && is_section(section.name, ".bss");
    const bool filled =
        section.type == SHT_PROGBITS && (is_section(section.name, ".data") || is_section(section.name, ".rodata"));
    if (!zeroed && !filled) continue;
    if (const auto added = add_data(image, section, object_name); !added) return added;
  }
  return {};
}

Result<void> read_config(ObjectImage& image, std::string_view object_name) {
  uint64_t size = 0;
  for (const ImageExtern& item : image.externs) {
    const auto variable = item.kconfig ? image.btf.type(item.type) : std::nullopt;
    const auto bytes = variable ? image.btf.size_of(variable->size_or_type) : std::nullopt;
    if (bytes && item.config_at + uint64_t{*bytes} > size) size = item.config_at + uint64_t{*bytes};
  }
  if (size == 0) return {};
  ImageMap map;
  name_data(map, ".kconfig", object_name);
  map.shape = {BPF_MAP_TYPE_ARRAY, 4, static_cast<uint32_t>(size), 1, BPF_F_RDONLY_PROG | kMmapable};
  map.size = size;
  map.section = UINT32_MAX;
  map.global_data = true;
  if (!image.maps.push_back(map)) return make_error(ENOMEM, "read maps");
  image.kconfig_map = static_cast<uint32_t>(image.maps.size());
  return {};
}

// Variables of the arena lie at its end (libbpf 1.8).
void place_arena_data(ObjectImage& image) {
  const ElfSection* const section = image.find_section(".addr_space.1");
  if (section == nullptr || image.arena_map == 0) return;
  const uint64_t page = 4096;
  const uint64_t all = uint64_t{image.maps[image.arena_map - 1].shape.max_entries} * page;
  const uint64_t data = (section->size + page - 1) / page * page;
  if (data <= all) image.arena_data_at = static_cast<uint32_t>(all - data);
}

}  // namespace

Result<void> read_image_maps(ObjectImage& image, std::string_view object_name) {
  if (const auto read = read_legacy(image); !read) return read;
  if (const auto read = read_map_definitions(image); !read) return read;
  if (const auto read = read_data(image, object_name); !read) return read;
  if (const auto read = read_config(image, object_name); !read) return read;
  if (const auto read = read_operations(image); !read) return read;
  place_arena_data(image);
  for (uint32_t i = 0; i < image.maps.size(); ++i)
    if (!image.maps_by_place.push_back(i)) return make_error(ENOMEM, "read maps");
  image.maps_by_place.sort([&](uint32_t a, uint32_t b) {
    const ImageMap &x = image.maps[a], &y = image.maps[b];
    if (x.section != y.section) return x.section < y.section;
    return x.offset != y.offset ? x.offset < y.offset : a < b;
  });
  if (const auto read = read_map_slots(image); !read) return read;
  return read_operation_programs(image);
}

std::optional<uint32_t> ObjectImage::map_around(uint32_t section, uint64_t offset) const {
  const auto* next =
      std::upper_bound(maps_by_place.begin(), maps_by_place.end(), offset, [&](uint64_t wanted, uint32_t b) {
        return section != maps[b].section ? section < maps[b].section : wanted < maps[b].offset;
      });
  if (next == maps_by_place.begin()) return std::nullopt;
  const uint32_t found = *--next;
  const bool inside = maps[found].section == section && offset - maps[found].offset < maps[found].size;
  return inside ? std::optional(found) : std::nullopt;
}

std::optional<uint32_t> ObjectImage::map_at(uint32_t section, uint64_t offset) const {
  const auto* const found =
      std::lower_bound(maps_by_place.begin(), maps_by_place.end(), offset, [&](uint32_t a, uint64_t wanted) {
        const ImageMap& map = maps[a];
        if (map.section != section) return map.section < section;
        return !map.global_data && map.offset < wanted;
      });
  if (found == maps_by_place.end()) return std::nullopt;
  const ImageMap& map = maps[*found];
  if (map.section != section || (!map.global_data && map.offset != offset)) return std::nullopt;
  return *found;
}

}  // namespace hosa
