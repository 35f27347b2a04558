// Maps of an object in the kernel. They are made when a program first needs them: one that the kernel refuses hides
// only the programs that use it.
#include "loader/kernel_btf.h"
#include "loader/sys/cpu_list.h"
#include "loader/sys/text.h"
#include "tools/hosa_load/loading.h"

namespace hosa {
namespace {

constexpr uint32_t kUserRing = 31, kCgroupStorage = 32;  // map types of 6.1 and 6.2
constexpr uint32_t kMmapable = 1U << 10;                 // BPF_F_MMAPABLE, 5.5
constexpr uint32_t kArrayOfMaps = BPF_MAP_TYPE_ARRAY_OF_MAPS, kHashOfMaps = BPF_MAP_TYPE_HASH_OF_MAPS;

uint32_t default_entries(uint32_t type) {
  switch (type) {
    case BPF_MAP_TYPE_PERF_EVENT_ARRAY: return possible_cpu_slots("/sys").value_or(1);
    case BPF_MAP_TYPE_RINGBUF:
    case kUserRing: return 65536;
    case BPF_MAP_TYPE_STACK_TRACE: return 1024;
    case BPF_MAP_TYPE_SK_STORAGE:
    case BPF_MAP_TYPE_INODE_STORAGE:
    case BPF_MAP_TYPE_TASK_STORAGE:
    case kCgroupStorage:
    case BPF_MAP_TYPE_CGROUP_STORAGE:
    case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
    case BPF_MAP_TYPE_STRUCT_OPS:
    case kArena: return 0;
    default: return 8;
  }
}

// A ring is a power of two of pages; what an object states otherwise is rounded up, as libbpf does.
uint32_t ring_bytes(uint32_t stated) {
  uint64_t bytes = static_cast<uint64_t>(::getpagesize());
  while (bytes < stated) bytes *= 2;
  return bytes > UINT32_MAX ? stated : static_cast<uint32_t>(bytes);
}

void complete_shape(MapShape& shape) {
  if (shape.type == BPF_MAP_TYPE_STACK_TRACE && shape.value_bytes == 0) shape.value_bytes = 127 * 8;
  if (shape.type == BPF_MAP_TYPE_STACK_TRACE && shape.key_bytes == 0) shape.key_bytes = 4;
  if (shape.max_entries == 0) shape.max_entries = default_entries(shape.type);
  if (shape.type == BPF_MAP_TYPE_RINGBUF || shape.type == kUserRing) shape.max_entries = ring_bytes(shape.max_entries);
}

// Kinds of maps that never take types of keys and values.
bool untyped(uint32_t type) {
  switch (type) {
    case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
    case BPF_MAP_TYPE_CGROUP_ARRAY:
    case BPF_MAP_TYPE_STACK_TRACE:
    case kArrayOfMaps:
    case kHashOfMaps:
    case BPF_MAP_TYPE_DEVMAP:
    case BPF_MAP_TYPE_DEVMAP_HASH:
    case BPF_MAP_TYPE_CPUMAP:
    case BPF_MAP_TYPE_XSKMAP:
    case BPF_MAP_TYPE_SOCKMAP:
    case BPF_MAP_TYPE_SOCKHASH:
    case BPF_MAP_TYPE_QUEUE:
    case BPF_MAP_TYPE_STACK:
    case BPF_MAP_TYPE_PROG_ARRAY:
    case kArena: return true;
    default: return false;
  }
}

FixedString<15> kernel_name(std::string_view name) {
  FixedString<15> out;
  for (const char letter : name) {
    const bool word = (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= 'a' && letter <= 'z') || letter == '_' || letter == '.';
    out.append(std::string_view(word ? &letter : "_", 1));
  }
  return out;
}

// With types where the kernel takes them, else without.
Result<Fd> create(Loading& loading, const ImageMap& map, int inner) {
  const FixedString<15> name = kernel_name(map.name.view());
  MapTypes types;
  types.inner = inner;
  types.numa_node = map.numa_node;
  types.extra = map.extra;
  const int btf = map.key_type == 0 && map.value_type == 0 ? -1 : untyped(map.shape.type) ? -1 : object_btf(loading);
  if (btf >= 0) {
    types.btf = btf;
    types.key = map.key_type;
    types.value = map.value_type;
    auto typed = bpf_create_map(name.view(), map.shape, types);
    if (typed) return typed;
    types.btf = 0;
    types.key = types.value = 0;
  }
  return bpf_create_map(name.view(), map.shape, types);
}

// Before 5.5 no array can be mapped.
Result<Fd> create_data(Loading& loading, const ImageMap& map) {
  auto fd = create(loading, map, 0);
  if (fd || (map.shape.flags & kMmapable) == 0) return fd;
  ImageMap plain = map;
  plain.shape.flags &= ~kMmapable;
  return create(loading, plain, 0);
}

Result<Fd> create_inner(Loading& loading, const ImageMap& map) {
  if (map.shape.type != kArrayOfMaps && map.shape.type != kHashOfMaps) return Fd();
  if (map.inner != 0) return create(loading, loading.image.inner[map.inner - 1], 0);
  // Nothing is said of the maps it will hold (an old definition): any will do to try.
  return bpf_create_map("inner", {BPF_MAP_TYPE_HASH, 4, 4, 1, 0});
}

Result<void> fill_data(Loading& loading, const ImageMap& map, int fd) {
  const bool config = map.section == UINT32_MAX;
  List<unsigned char> content;
  if (config) {
    for (uint64_t i = 0; i < map.size; ++i)
      if (!content.push_back(0)) return make_error(ENOMEM, "fill map");
    if (const auto filled = fill_config(loading, content); !filled) return filled;
  }
  const unsigned char* const bytes = config ? content.data() : map.content.data();
  const uint32_t first = 0;
  if (bytes != nullptr)  // else all zero, as it is made
    if (const auto written = bpf_update(fd, &first, bytes); !written) return written;
  if ((map.shape.flags & BPF_F_RDONLY_PROG) != 0) (void)bpf_freeze(fd).has_value();  // before 5.2 there is none
  return {};
}

// Maps in this map from the start. Slots of programs stay empty: each program is loaded alone.
Result<void> fill_slots(Loading& loading, uint32_t number, int fd) {
  if (loading.image.maps[number].inner == 0) return {};
  for (const ImageSlot& slot : loading.image.slots) {
    if (slot.map != number) continue;
    const ImageSymbol& symbol = loading.image.symbols[slot.symbol];
    const auto other = loading.image.map_at(symbol.section, symbol.value);
    if (!other || *other == number) continue;
    const auto inner = object_map(loading, *other);
    if (!inner) return inner.error();
    const auto value = static_cast<uint32_t>(*inner);
    if (const auto written = bpf_update(fd, &slot.index, &value); !written) return written;
  }
  return {};
}

// Tables of programs whose programs are loaded. Nobody needs one that no program asked for.
Result<void> fill_table(Loading& loading, uint32_t number) {
  if (loading.maps[number] < 0) return {};
  for (const ImageSlot& slot : loading.image.slots) {
    if (slot.map != number) continue;
    const ImageSymbol& symbol = loading.image.symbols[slot.symbol];
    const auto function = loading.image.function_at(symbol.section, symbol.value);
    if (!function || loading.programs[*function] < 0) continue;
    const auto value = static_cast<uint32_t>(loading.programs[*function]);
    if (const auto written = bpf_update(loading.maps[number], &slot.index, &value); !written) return written;
  }
  return {};
}

}  // namespace

Result<void> fill_with_programs(Loading& loading, uint32_t number) {
  const ImageMap& map = loading.image.maps[number];
  if (!map.operations) return map.shape.type == BPF_MAP_TYPE_PROG_ARRAY ? fill_table(loading, number) : Result<void>();
  if (slice(loading.image.sections[map.section].name, 0, 1) == "?") return {};
  // What was refused has been told; without it the structure is not whole.
  for (const ImageOperation& operation : loading.image.operations)
    if (operation.map == number && loading.programs[operation.function] < 0) return {};
  return make_operations(loading, number);
}

int object_btf(Loading& loading) {
  if (loading.btf_tried || !loading.image.has_btf) return loading.btf.get();
  loading.btf_tried = true;
  auto fd = load_object_btf(loading.image);
  if (fd) loading.btf = std::move(*fd);
  if (!fd && loading.options.verbose)
    loading.errors.text(loading.path).text(": its BTF is refused: ").text(fd.error().text().view()).text("\n");
  return loading.btf.get();
}

void complete_shapes(ObjectImage& image) {
  for (ImageMap& map : image.maps) complete_shape(map.shape);
  for (ImageMap& map : image.inner) complete_shape(map.shape);
}

Result<int> object_map(Loading& loading, uint32_t number) {
  if (loading.maps[number] >= 0) return loading.maps[number];
  const ImageMap& map = loading.image.maps[number];
  if (map.operations) return make_error(EINVAL, "structure of functions is used as a map:", map.name.view());
  const auto inner = create_inner(loading, map);
  if (!inner) return inner.error();
  auto fd = map.global_data ? create_data(loading, map) : create(loading, map, *inner ? inner->get() : 0);
  if (!fd) return fd.error();
  if (map.global_data)
    if (const auto filled = fill_data(loading, map, fd->get()); !filled) return filled.error();
  const int made = fd->release();
  loading.maps[number] = made;
  if (const auto filled = fill_slots(loading, number, made); !filled) return filled.error();
  return made;
}

}  // namespace hosa
