#include "tools/hosa_load/load_object.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <cstdio>

#include "loader/btf_ext.h"
#include "loader/core.h"
#include "loader/kernel_btf.h"
#include "loader/load.h"
#include "loader/section_kinds.h"
#include "loader/sys/cpu_list.h"
#include "loader/sys/file.h"
#include "loader/sys/mapping.h"
#include "loader/sys/text.h"

namespace hosa {
namespace {

constexpr uint32_t kUserRing = 31, kCgroupStorage = 32;  // map types of 6.1 and 6.2
constexpr std::size_t kLogBytes = std::size_t{1} << 24;

struct Loading {
  const char* path;
  const Btf* kernel;
  const LoadOptions& options;
  ObjectImage image;
  Fd btf;
  List<int> maps;
  ~Loading() {
    for (const int map : maps)
      if (map >= 0) ::close(map);
  }
};

uint32_t possible_cpus() {
  char buffer[256];
  const auto text = read_file(AT_FDCWD, "/sys/devices/system/cpu/possible", buffer);
  if (!text) return 1;
  uint32_t last = 0;
  std::string_view rest = trim(*text);
  while (!rest.empty()) {
    std::string_view range = take_until(rest, ',');
    take_until(range, range.find('-') == std::string_view::npos ? '\n' : '-');
    std::string_view all = trim(*text);
    const std::size_t dash = all.rfind('-');
    last = to_number<uint32_t>(dash == std::string_view::npos ? all : slice(all, dash + 1)).value_or(0);
  }
  return last + 1;
}

uint32_t running_version() {
  utsname name{};
  if (::uname(&name) != 0) return 0;
  uint32_t part[3] = {};
  std::string_view rest = name.release;
  for (uint32_t& number : part) {
    std::size_t digits = 0;
    while (digits < rest.size() && rest[digits] >= '0' && rest[digits] <= '9') ++digits;
    number = to_number<uint32_t>(slice(rest, 0, digits)).value_or(0);
    rest = slice(rest, digits + 1);
  }
  return part[0] << 16 | part[1] << 8 | (part[2] < 255 ? part[2] : 255);
}

// Sizes that an object leaves to user space.
void complete_shape(MapShape& shape) {
  if (shape.type == BPF_MAP_TYPE_STACK_TRACE && shape.value_bytes == 0) shape.value_bytes = 127 * 8;
  if (shape.type == BPF_MAP_TYPE_STACK_TRACE && shape.key_bytes == 0) shape.key_bytes = 4;
  if (shape.max_entries != 0) return;
  switch (shape.type) {
    case BPF_MAP_TYPE_PERF_EVENT_ARRAY: shape.max_entries = possible_cpus(); break;
    case BPF_MAP_TYPE_RINGBUF:
    case kUserRing: shape.max_entries = 65536; break;
    case BPF_MAP_TYPE_STACK_TRACE: shape.max_entries = 1024; break;
    case BPF_MAP_TYPE_SK_STORAGE:
    case BPF_MAP_TYPE_INODE_STORAGE:
    case BPF_MAP_TYPE_TASK_STORAGE:
    case kCgroupStorage:
    case BPF_MAP_TYPE_CGROUP_STORAGE:
    case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
    case BPF_MAP_TYPE_STRUCT_OPS: break;
    default: shape.max_entries = 8;
  }
}

// With types where the kernel takes them for this kind of map, else without.
Result<Fd> create(Loading& loading, const ImageMap& map, int inner) {
  MapTypes types{loading.btf.get(), map.key_type, map.value_type, inner, map.extra};
  if (loading.btf && (map.key_type != 0 || map.value_type != 0)) {
    auto typed = bpf_create_map(map.name.view(), map.shape, types);
    if (typed) return typed;
  }
  types.btf = 0;
  types.key = types.value = 0;
  FixedString<63> name;
  for (const char letter : map.name.view()) {
    const bool word = (letter >= '0' && letter <= '9') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= 'a' && letter <= 'z') || letter == '_' || letter == '.';
    name.append(std::string_view(word ? &letter : "_", 1));
  }
  return bpf_create_map(name.view(), map.shape, types);
}

// Whether kprobes may ask for the cookie they were attached with (5.15): tried, not guessed from the version.
bool has_cookie() {
  bpf_insn text[2] = {};
  text[0].code = BPF_JMP | BPF_CALL;
  text[0].imm = BPF_FUNC_get_attach_cookie;
  text[1].code = BPF_JMP | BPF_EXIT;
  ProgramText program;
  program.type = BPF_PROG_TYPE_KPROBE;
  program.instructions = text;
  program.licence = "GPL";
  program.kernel_version = running_version();
  return bpf_load_program(program).has_value();
}

void fill_config(const Loading& loading, List<unsigned char>& content) {
  for (const ImageExtern& item : loading.image.externs) {
    if (!item.kconfig || item.config_at >= content.size()) continue;
    uint32_t value = 0;
    std::size_t size = 1;
    if (item.name == "LINUX_KERNEL_VERSION") {
      value = running_version();
      size = sizeof value;
    } else if (item.name == "LINUX_HAS_BPF_COOKIE") {
      value = has_cookie() ? 1 : 0;
    } else if (item.name == "LINUX_HAS_SYSCALL_WRAPPER" && loading.kernel != nullptr) {
      value = loading.kernel->find("__x64_sys_bpf", BTF_KIND_FUNC) ||
              loading.kernel->find("__arm64_sys_bpf", BTF_KIND_FUNC);
    }
    if (size <= content.size() - item.config_at) std::memcpy(content.data() + item.config_at, &value, size);
  }
}

Result<void> fill(const Loading& loading, const ImageMap& map, int fd) {
  List<unsigned char> content;
  if (!content.reserve(map.size)) return make_error(ENOMEM, "fill map");
  const unsigned char zero = 0;
  if (!content.append(map.content.data(), map.content.size())) return make_error(ENOMEM, "fill map");
  while (content.size() < map.size)
    if (!content.push_back(zero)) return make_error(ENOMEM, "fill map");
  if (map.section == UINT32_MAX) fill_config(loading, content);
  const uint32_t first = 0;
  if (const auto written = bpf_update(fd, &first, content.data()); !written) return written;
  if ((map.shape.flags & BPF_F_RDONLY_PROG) != 0) (void)bpf_freeze(fd).has_value();
  return {};
}

Result<int> create_map(Loading& loading, ImageMap& map) {
  complete_shape(map.shape);
  Fd inner;
  if (map.inner != 0) {
    ImageMap& pattern = loading.image.inner[map.inner - 1];
    complete_shape(pattern.shape);
    auto made = create(loading, pattern, 0);
    if (!made) return made.error();
    inner = std::move(*made);
  }
  auto fd = create(loading, map, inner ? inner.get() : 0);
  if (!fd) return fd.error();
  if (map.global_data)
    if (const auto filled = fill(loading, map, fd->get()); !filled) return filled.error();
  return fd->release();
}

void print_text(std::string_view text) {
  std::putchar('"');
  for (const char letter : text) {
    const auto code = static_cast<unsigned char>(letter);
    if (letter == '"' || letter == '\\')
      std::printf("\\%c", letter);
    else if (code < 0x20 || code >= 0x7f)
      std::printf("\\u%04x", code);
    else
      std::putchar(letter);
  }
  std::putchar('"');
}

void print_maps(const Loading& loading) {
  for (std::size_t i = 0; i < loading.image.maps.size(); ++i) {
    const ImageMap& map = loading.image.maps[i];
    std::printf("%s{\"name\":", i == 0 ? "" : ",");
    print_text(map.name.view());
    std::printf(",\"type\":%u,\"key_size\":%u,\"value_size\":%u,\"max_entries\":%u,\"flags\":%u}", map.shape.type,
                map.shape.key_bytes, map.shape.value_bytes, map.shape.max_entries, map.shape.flags);
  }
}

// FNV-1a 64 over the instructions, with map numbers where descriptors stand.
uint64_t fingerprint(const LinkedProgram& program) {
  uint64_t hash = 1469598103934665603U;
  std::size_t next = 0;
  for (std::size_t i = 0; i < program.instructions.size(); ++i) {
    bpf_insn insn = program.instructions[i];
    if (insn.code == (BPF_LD | BPF_IMM | BPF_DW) && (insn.src_reg == 1 || insn.src_reg == 2))
      for (std::size_t k = 0; k < program.maps.size(); ++k) {
        const LinkedMapUse& use = program.maps[(next + k) % program.maps.size()];
        if (use.instruction != i) continue;
        insn.imm = static_cast<int32_t>(use.map);
        next = (next + k + 1) % program.maps.size();
        break;
      }
    unsigned char bytes[sizeof insn];
    std::memcpy(bytes, &insn, sizeof insn);
    for (const unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211U;
  }
  return hash;
}

Result<void> put_externs(const Loading& loading, LinkedProgram& program) {
  for (const LinkedExternUse& use : program.externs) {
    const ImageExtern& item = loading.image.externs[use.item];
    bpf_insn* const insn = &program.instructions[use.instruction];
    if (!use.call && use.instruction + 1 >= program.instructions.size()) return make_error(0, "extern is cut off");
    if (item.kconfig) {
      if (use.call || loading.image.kconfig_map == 0) return make_error(0, "configuration word is called:", item.name);
      const uint32_t map = loading.image.kconfig_map - 1;
      if (!program.maps.push_back({use.instruction, map, true, item.config_at}))
        return make_error(ENOMEM, "link program");
      insn[0].imm = 0;
      continue;
    }
    const uint32_t kind = use.call ? BTF_KIND_FUNC : BTF_KIND_VAR;
    const auto id = loading.kernel != nullptr ? loading.kernel->find(item.name, kind) : std::nullopt;
    if (!id && !item.weak) return make_error(ESRCH, "not in kernel BTF:", item.name);
    insn[0].imm = id ? static_cast<int32_t>(*id) : 0;
    insn[0].off = 0;
    if (use.call)
      insn[0].src_reg = BPF_PSEUDO_KFUNC_CALL;
    else if (id)
      insn[0].src_reg = BPF_PSEUDO_BTF_ID;
    if (!use.call) insn[1].imm = 0;
  }
  return {};
}

Result<void> put_maps(Loading& loading, LinkedProgram& program) {
  for (const LinkedMapUse& use : program.maps) {
    int& fd = loading.maps[use.map];
    if (fd < 0) {
      const auto made = create_map(loading, loading.image.maps[use.map]);
      if (!made) return made.error();
      fd = *made;
    }
    bpf_insn* const insn = &program.instructions[use.instruction];
    insn[0].src_reg = use.value ? BPF_PSEUDO_MAP_VALUE : BPF_PSEUDO_MAP_FD;
    insn[0].imm = fd;
    if (use.value) insn[1].imm = static_cast<int32_t>(use.offset);
  }
  return {};
}

// The function types of the program's pieces; all or none.
Result<void> function_types(const Loading& loading, const LinkedProgram& program, List<std::array<uint32_t, 2>>& out) {
  for (const LinkedPiece& piece : program.pieces) {
    const ImageFunction& function = loading.image.functions[piece.function];
    List<ExtFunction> records;
    const auto read =
        read_ext(loading.image.extension, ExtPart::functions, loading.image.btf, function.section_name, records);
    if (!read) return read;
    for (const ExtFunction& record : records)
      if (record.offset == function.start && !out.push_back({piece.at, record.type}))
        return make_error(ENOMEM, "types");
  }
  if (out.size() != program.pieces.size()) out.clear();
  return {};
}

Result<void> describe(const Loading& loading, const ImageFunction& function, ProgramText& text) {
  text.name = function.name;
  text.licence = loading.image.licence.data();
  const SectionKind* const kind = section_kind(function.section_name);
  if (kind == nullptr) return {};
  text.type = kind->type;
  text.expected_attach_type = kind->attach;
  text.flags = kind->flags;
  if (kind->type == BPF_PROG_TYPE_KPROBE) text.kernel_version = running_version();
  if (kind->prefix == nullptr) return {};
  const std::string_view target = section_target(function.section_name);
  if (target.empty()) return {};
  if (loading.kernel == nullptr) return make_error(ENOENT, "needs kernel BTF:", function.section_name);
  FixedString<127> wanted(kind->prefix);
  wanted.append(target);
  const auto id = loading.kernel->find(wanted.view(), kind->target_kind);
  if (!id) return make_error(ESRCH, "not in kernel BTF:", wanted.view());
  text.attach_btf_id = *id;
  return {};
}

Result<void> load_program(Loading& loading, uint32_t number, LinkedProgram& program, ProgramText& text) {
  const ImageFunction& function = loading.image.functions[number];
  if (const auto described = describe(loading, function, text); !described) return described;
  if (const auto linked = link_program(loading.image, number, program); !linked) return linked;
  if (const auto applied = apply_core(loading.image, loading.kernel, program); !applied) return applied;
  if (const auto put = put_externs(loading, program); !put) return put;
  if (const auto put = put_maps(loading, program); !put) return put;
  List<std::array<uint32_t, 2>> types;
  if (loading.btf)
    if (const auto typed = function_types(loading, program, types); !typed) return typed;
  text.instructions = {program.instructions.data(), program.instructions.size()};
  text.btf = loading.btf.get();
  text.functions = {types.data(), types.size()};
  const auto loaded = bpf_load_program(text);
  if (loaded) return {};
  Error error = loaded.error();
  auto log = Mapping::of_memory(kLogBytes);
  if (!log) return error;
  const std::span<char> room(reinterpret_cast<char*>(log->data()), log->size());
  if (bpf_load_program(text, room)) return error;
  const std::string_view all(room.data(), ::strnlen(room.data(), room.size()));
  if (loading.options.verbose) std::fprintf(stderr, "%s\n", room.data());
  error.subject.append(": ").append(verifier_complaint(all));
  return error;
}

bool load_programs(Loading& loading) {
  bool good = true, first = true;
  for (uint32_t i = 0; i < loading.image.functions.size(); ++i) {
    const ImageFunction& function = loading.image.functions[i];
    if (!function.entry || slice(function.section_name, 0, 1) == "?") continue;
    LinkedProgram program;
    ProgramText text;
    const auto loaded = load_program(loading, i, program, text);
    if (!loaded)
      std::fprintf(stderr, "%s: %s: %s\n", loading.path, function.name.data(), loaded.error().text().c_str());
    const int code = loaded ? 0 : loaded.error().code == 0 ? -EINVAL : -loaded.error().code;
    good = good && loaded;
    std::printf("%s{\"name\":", first ? "" : ",");
    first = false;
    print_text(function.name);
    std::printf(",\"section\":");
    print_text(function.section_name);
    std::printf(
        ",\"type\":%u,\"expected_attach_type\":%u,\"instructions\":%zu,\"errno\":%d,\"fingerprint\":\"%016llx\"}",
        text.type, text.expected_attach_type, program.instructions.size(), code,
        static_cast<unsigned long long>(loaded ? fingerprint(program) : 0));
  }
  return good;
}

Result<void> read_file_image(Loading& loading, Mapping& mapping) {
  auto file = open_file(AT_FDCWD, loading.path);
  if (!file) return file.error();
  struct stat status {};
  if (::fstat(file->get(), &status) != 0) return errno_error("size of", loading.path);
  if (status.st_size <= 0) return make_error(0, "file is empty:", loading.path);
  auto mapped = Mapping::of_memory(static_cast<std::size_t>(status.st_size));  // a mapped file may shrink under us
  if (!mapped) return mapped.error();
  mapping = std::move(*mapped);
  const auto got = read_at_start(file->get(), {reinterpret_cast<char*>(mapping.data()), mapping.size()});
  if (!got) return got.error();
  std::string_view name = loading.path;
  name = slice(name, name.rfind('/') + 1);
  return read_image(Bytes(mapping.data(), got->size()), slice(name, 0, name.find('.')), loading.image);
}

}  // namespace

bool load_object(const char* path, const Btf* kernel, const LoadOptions& options) {
  Mapping file;
  Loading loading{path, kernel, options, {}, {}, {}};
  const auto read = read_file_image(loading, file);
  if (!read) std::fprintf(stderr, "%s: %s\n", path, read.error().text().c_str());
  if (read && loading.image.has_btf) {
    List<unsigned char> types;
    if (btf_for_kernel(loading.image, types))
      if (auto fd = bpf_load_btf({types.data(), types.size()})) loading.btf = std::move(*fd);
    if (!loading.btf && options.verbose) std::fprintf(stderr, "%s: its BTF is refused\n", path);
  }
  bool room = true;
  for (std::size_t i = 0; i < loading.image.maps.size(); ++i) room = room && loading.maps.push_back(-1);
  std::printf("{\"object\":");
  print_text(path);
  std::printf(",\"maps\":[");
  for (ImageMap& map : loading.image.maps) complete_shape(map.shape);
  if (read) print_maps(loading);
  std::printf("],\"programs\":[");
  const bool good = read && room && load_programs(loading);
  std::printf("]}\n");
  return good;
}

}  // namespace hosa
