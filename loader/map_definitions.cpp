// Maps that an object defines by types (section .maps): each variable is a structure whose members' types state what
// the map is like, a convention of the field (libbpf's bpf_helpers.h): __uint, __ulong, __type, __array.
#include <algorithm>

#include "loader/program_image.h"

namespace hosa {
namespace {

// __uint(word, n): a pointer to an array of n elements. __ulong(word, n): an enumerator of that value.
std::optional<uint64_t> stated_number(const Btf& btf, uint32_t id) {
  const auto type = btf.resolved(id);
  if (!type) return std::nullopt;
  if (type->kind == BTF_KIND_ENUM || type->kind == kBtfEnum64) {
    const auto first = btf.enumerator(*type, 0);
    if (!first) return std::nullopt;
    return type->kind == BTF_KIND_ENUM ? static_cast<uint32_t>(first->value) : first->value;
  }
  const auto target = type->kind == BTF_KIND_PTR ? btf.resolved(type->size_or_type) : std::nullopt;
  const auto shape = target ? btf.array(*target) : std::nullopt;
  if (!shape) return std::nullopt;
  return shape->nelems;
}

class Definition {
 public:
  Definition(ObjectImage& image, ImageMap& map, bool is_inner)
      : image_(image), btf_(image.btf), map_(map), is_inner_(is_inner) {}

  Result<void> read(const BtfType& definition) {
    for (uint32_t i = 0; i < definition.count; ++i) {
      const auto member = btf_.member(definition, i);
      if (!member) return make_error(0, "definition of map is broken:", map_.name.view());
      if (const auto read = read_word(btf_.name(member->name).view(), *member); !read) return read;
    }
    return {};
  }

 private:
  Result<void> read_word(std::string_view word, const BtfMember& member) {
    if (word == "values") return read_values(member);
    if (word == "key") return read_type(member.type, map_.shape.key_bytes, map_.key_type);
    if (word == "value") return read_type(member.type, map_.shape.value_bytes, map_.value_type);
    const auto number = stated_number(btf_, member.type);
    if (!number) return make_error(0, "definition of map states no number:", word);
    const auto small = static_cast<uint32_t>(*number);
    if (word == "type") map_.shape.type = small;
    if (word == "max_entries") map_.shape.max_entries = small;
    if (word == "map_flags") map_.shape.flags = small;
    if (word == "key_size") map_.shape.key_bytes = small;
    if (word == "value_size") map_.shape.value_bytes = small;
    if (word == "map_extra") map_.extra = *number;
    if (word == "numa_node") map_.numa_node = small;
    return {};
  }

  Result<void> read_type(uint32_t id, uint32_t& bytes, uint32_t& type) {
    const auto pointer = btf_.resolved(id);
    const auto size = pointer && pointer->kind == BTF_KIND_PTR ? btf_.size_of(pointer->size_or_type) : std::nullopt;
    if (!size) return make_error(0, "key or value of map has no size:", map_.name.view());
    bytes = *size;
    type = pointer->size_or_type;
    return {};
  }

  // __array(values, ...): of a map that holds maps, or of a table of programs.
  Result<void> read_values(const BtfMember& member) {
    if (map_.shape.key_bytes == 0) map_.shape.key_bytes = 4;
    map_.shape.value_bytes = 4;
    map_.slots_at = member.bit_offset / 8;
    const auto array = btf_.resolved(member.type);
    const auto shape = array ? btf_.array(*array) : std::nullopt;
    const auto pointer = shape ? btf_.resolved(shape->type) : std::nullopt;
    const auto target = pointer && pointer->kind == BTF_KIND_PTR ? btf_.resolved(pointer->size_or_type) : std::nullopt;
    if (!target) return make_error(0, "values of map are of an unknown kind:", map_.name.view());
    if (target->kind == BTF_KIND_FUNC_PROTO) return {};
    if (target->kind != BTF_KIND_STRUCT || is_inner_) return make_error(0, "maps in maps in maps:", map_.name.view());
    ImageMap inner;
    inner.name = map_.name;
    inner.name.append(".inner");
    if (const auto read = Definition(image_, inner, true).read(*target); !read) return read;
    if (!image_.inner.push_back(inner)) return make_error(ENOMEM, "read maps");
    map_.inner = static_cast<uint32_t>(image_.inner.size());
    return {};
  }

  ObjectImage& image_;
  const Btf& btf_;
  ImageMap& map_;
  bool is_inner_;
};

Result<void> read_definition(ObjectImage& image, const ElfSection& section, bool linked, const btf_var_secinfo& place) {
  const auto variable = image.btf.type(place.type);
  const auto definition =
      variable && variable->kind == BTF_KIND_VAR ? image.btf.resolved(variable->size_or_type) : std::nullopt;
  if (!definition || definition->kind != BTF_KIND_STRUCT) return make_error(0, "section .maps holds what is no map");
  ImageMap map;
  map.name = image.btf.name(variable->name).view();
  map.section = section.index;
  map.offset = place.offset;
  map.size = place.size;
  // clang leaves offsets to the symbols, a linker fills them in.
  if (const ImageSymbol* const symbol = linked ? nullptr : image.find_symbol(map.name.view(), section.index)) {
    map.offset = symbol->value;
    if (symbol->size != 0) map.size = symbol->size;
  }
  if (const auto read = Definition(image, map, false).read(*definition); !read) return read;
  if (map.shape.type == BPF_MAP_TYPE_UNSPEC) return make_error(0, "definition of map states no type:", map.name.view());
  return image.maps.push_back(map) ? Result<void>() : make_error(ENOMEM, "read maps");
}

}  // namespace

Result<void> read_map_definitions(ObjectImage& image) {
  const ElfSection* const section = image.find_section(".maps");
  if (section == nullptr) return {};
  const auto id = image.has_btf ? image.btf.find(".maps", BTF_KIND_DATASEC) : std::nullopt;
  const auto types = id ? image.btf.type(*id) : std::nullopt;
  if (!types) return make_error(0, "section .maps has no types");
  const std::size_t before = image.maps.size();
  for (uint32_t i = 0; i < types->count; ++i) {
    const auto place = image.btf.variable(*types, i);
    if (!place) return make_error(0, "section .maps has no types");
    if (const auto read = read_definition(image, *section, types->size_or_type != 0, *place); !read) return read;
  }
  image.maps.sort([](const ImageMap& a, const ImageMap& b) { return a.offset < b.offset; }, before);
  for (uint32_t i = 0; i < image.maps.size(); ++i)
    if (image.maps[i].shape.type == kArena) image.arena_map = i + 1;
  return {};
}

// Pointers in the variables of .maps: to maps and programs that fill slots from the start.
Result<void> read_map_slots(ObjectImage& image) {
  for (const ImageRelocation& relocation : image.relocations) {
    const auto map = image.map_around(relocation.section, relocation.offset);
    if (!map || image.maps[*map].slots_at == 0) continue;
    const uint64_t first = image.maps[*map].offset + image.maps[*map].slots_at;
    if (relocation.offset < first) continue;
    const auto index = static_cast<uint32_t>((relocation.offset - first) / 8);
    if (!image.slots.push_back({*map, index, relocation.symbol})) return make_error(ENOMEM, "read maps");
  }
  return {};
}

}  // namespace hosa
