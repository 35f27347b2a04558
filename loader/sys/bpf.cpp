#include "loader/sys/bpf.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

namespace hosa {
namespace {

constexpr int kENotSupp = 524;  // the kernel's internal ENOTSUPP, which it lets out for missing map operations

// The size of bpf_attr up to and including a field.
#define HOSA_ATTR_THROUGH(field) (offsetof(bpf_attr, field) + sizeof(bpf_attr::field))

template <class Pointer>
uint64_t address(Pointer* pointer) {
  return static_cast<uint64_t>(reinterpret_cast<uintptr_t>(pointer));
}

long call(bpf_cmd command, bpf_attr& attr, std::size_t size) {
  return ::syscall(SYS_bpf, command, &attr, size);
}

bpf_attr zeroed() {
  bpf_attr attr;
  std::memset(&attr, 0, sizeof attr);
  return attr;
}

void copy_name(char (&out)[BPF_OBJ_NAME_LEN], std::string_view name) {
  const std::size_t take = name.size() < BPF_OBJ_NAME_LEN ? name.size() : BPF_OBJ_NAME_LEN - 1;
  if (take > 0) std::memcpy(out, name.data(), take);
}

// Behind map_extra, 6.9: value_type_btf_obj_fd, meant where the flag BPF_F_VTYPE_BTF_OBJ_FD is set.
constexpr std::size_t kModuleAt = HOSA_ATTR_THROUGH(map_extra);
constexpr uint32_t kTypeInModule = 1U << 15;

// A new descriptor: already close-on-exec, the kernel opens all BPF descriptors so.
Result<Fd> descriptor(long result, const char* step, std::string_view subject) {
  if (result < 0) return errno_error(step, subject);
  return Fd(static_cast<int>(result));
}

}  // namespace

Result<Fd> bpf_create_map(std::string_view name, const MapShape& shape, const MapTypes& types) {
  bpf_attr attr = zeroed();
  attr.map_type = shape.type;
  attr.key_size = shape.key_bytes;
  attr.value_size = shape.value_bytes;
  attr.max_entries = shape.max_entries;
  attr.map_flags = shape.flags;
  attr.numa_node = types.numa_node;
  copy_name(attr.map_name, name);
  attr.inner_map_fd = static_cast<uint32_t>(types.inner);
  std::size_t size = HOSA_ATTR_THROUGH(map_name);
  if (types.btf != 0) {
    attr.btf_fd = static_cast<uint32_t>(types.btf);
    attr.btf_key_type_id = types.key;
    attr.btf_value_type_id = types.value;
    size = HOSA_ATTR_THROUGH(btf_value_type_id);
  }
  if (types.kernel_value != 0) {
    attr.btf_vmlinux_value_type_id = types.kernel_value;
    size = HOSA_ATTR_THROUGH(btf_vmlinux_value_type_id);
  }
  attr.map_extra = types.extra;
  if (types.extra != 0) size = HOSA_ATTR_THROUGH(map_extra);
  if (types.kernel_module != 0) {
    attr.map_flags |= kTypeInModule;
    std::memcpy(reinterpret_cast<char*>(&attr) + kModuleAt, &types.kernel_module, sizeof types.kernel_module);
    size = kModuleAt + sizeof types.kernel_module;
  }
  return descriptor(call(BPF_MAP_CREATE, attr, size), "create BPF map", name);
}

Result<void> bpf_freeze(int map) {
  bpf_attr attr = zeroed();
  attr.map_fd = static_cast<uint32_t>(map);
  if (call(BPF_MAP_FREEZE, attr, HOSA_ATTR_THROUGH(map_fd)) < 0) return errno_error("freeze BPF map");
  return {};
}

Result<Fd> bpf_load_btf(std::span<const unsigned char> btf, std::span<char> log) {
  bpf_attr attr = zeroed();
  attr.btf = address(btf.data());
  attr.btf_size = static_cast<uint32_t>(btf.size());
  if (!log.empty()) {
    log[0] = 0;
    attr.btf_log_buf = address(log.data());
    attr.btf_log_size = static_cast<uint32_t>(log.size());
    attr.btf_log_level = 1;
  }
  return descriptor(call(BPF_BTF_LOAD, attr, HOSA_ATTR_THROUGH(btf_log_level)), "load BTF", {});
}

Result<uint32_t> bpf_next_btf(uint32_t id) {
  bpf_attr attr = zeroed();
  attr.start_id = id;
  if (call(BPF_BTF_GET_NEXT_ID, attr, HOSA_ATTR_THROUGH(open_flags)) < 0) return errno_error("next BTF");
  return attr.next_id;
}

Result<Fd> bpf_btf_by_id(uint32_t id) {
  bpf_attr attr = zeroed();
  attr.btf_id = id;
  return descriptor(call(BPF_BTF_GET_FD_BY_ID, attr, HOSA_ATTR_THROUGH(open_flags)), "open BTF", {});
}

Result<FixedString<63>> bpf_btf_name(int btf) {
  char name[64] = {};
  bpf_btf_info info;
  std::memset(&info, 0, sizeof info);
  info.name = address(&name[0]);
  info.name_len = sizeof name;
  bpf_attr attr = zeroed();
  attr.info.bpf_fd = static_cast<uint32_t>(btf);
  attr.info.info_len = sizeof info;
  attr.info.info = address(&info);
  if (call(BPF_OBJ_GET_INFO_BY_FD, attr, HOSA_ATTR_THROUGH(info)) < 0) return errno_error("name of BTF");
  if (info.kernel_btf == 0) return FixedString<63>();
  return FixedString<63>(std::string_view(name, ::strnlen(name, sizeof name)));
}

Result<void> bpf_lookup(int map, const void* key, void* value) {
  bpf_attr attr = zeroed();
  attr.map_fd = static_cast<uint32_t>(map);
  attr.key = address(key);
  attr.value = address(value);
  if (call(BPF_MAP_LOOKUP_ELEM, attr, HOSA_ATTR_THROUGH(flags)) < 0) return errno_error("look up in BPF map");
  return {};
}

Result<void> bpf_update(int map, const void* key, const void* value, uint64_t flags) {
  bpf_attr attr = zeroed();
  attr.map_fd = static_cast<uint32_t>(map);
  attr.key = address(key);
  attr.value = address(value);
  attr.flags = flags;
  if (call(BPF_MAP_UPDATE_ELEM, attr, HOSA_ATTR_THROUGH(flags)) < 0) return errno_error("update BPF map");
  return {};
}

Result<void> bpf_delete(int map, const void* key) {
  bpf_attr attr = zeroed();
  attr.map_fd = static_cast<uint32_t>(map);
  attr.key = address(key);
  if (call(BPF_MAP_DELETE_ELEM, attr, HOSA_ATTR_THROUGH(key)) < 0) return errno_error("delete from BPF map");
  return {};
}

Result<bool> bpf_next_key(int map, const void* key, void* next) {
  bpf_attr attr = zeroed();
  attr.map_fd = static_cast<uint32_t>(map);
  attr.key = address(key);
  attr.next_key = address(next);
  if (call(BPF_MAP_GET_NEXT_KEY, attr, HOSA_ATTR_THROUGH(next_key)) == 0) return true;
  if (errno == ENOENT) return false;
  return errno_error("walk BPF map");
}

Result<Batch> bpf_lookup_batch(int map, const uint32_t* from, uint32_t* token, void* keys, void* values,
                               uint32_t count) {
  bpf_attr attr = zeroed();
  attr.batch.map_fd = static_cast<uint32_t>(map);
  attr.batch.in_batch = address(from);
  attr.batch.out_batch = address(token);
  attr.batch.keys = address(keys);
  attr.batch.values = address(values);
  attr.batch.count = count;
  const long result = call(BPF_MAP_LOOKUP_BATCH, attr, HOSA_ATTR_THROUGH(batch));
  if (result < 0 && errno != ENOENT) {
    if (errno == kENotSupp) errno = EOPNOTSUPP;
    return errno_error("read BPF map in batches");
  }
  // Hostile until checked: never believe a count larger than the room that was offered.
  return Batch{attr.batch.count < count ? attr.batch.count : count, result == 0};
}

Result<Fd> bpf_load_program(const ProgramText& program, std::span<char> log) {
  bpf_attr attr = zeroed();
  attr.prog_type = program.type;
  attr.insn_cnt = static_cast<uint32_t>(program.instructions.size());
  attr.insns = address(program.instructions.data());
  attr.license = address(program.licence);
  copy_name(attr.prog_name, program.name);
  attr.expected_attach_type = program.expected_attach_type;
  attr.prog_flags = program.flags;
  attr.kern_version = program.kernel_version;
  attr.attach_btf_id = program.attach_btf_id;
  if (program.btf >= 0 && !program.functions.empty()) {
    attr.prog_btf_fd = static_cast<uint32_t>(program.btf);
    attr.func_info = address(program.functions.data());
    attr.func_info_cnt = static_cast<uint32_t>(program.functions.size());
    attr.func_info_rec_size = sizeof program.functions[0];
  }
  if (!log.empty()) {
    log[0] = 0;
    attr.log_level = 1;
    attr.log_size = static_cast<uint32_t>(log.size());
    attr.log_buf = address(log.data());
  }
  std::size_t size = HOSA_ATTR_THROUGH(attach_btf_id);
  if (program.attach_btf_module != 0) {
    attr.attach_btf_obj_fd = static_cast<uint32_t>(program.attach_btf_module);
    size = HOSA_ATTR_THROUGH(attach_btf_obj_fd);
  }
  if (program.descriptors != nullptr) {
    attr.fd_array = address(program.descriptors);
    size = HOSA_ATTR_THROUGH(fd_array);
  }
  return descriptor(call(BPF_PROG_LOAD, attr, size), "load BPF program", program.name);
}

Result<Fd> bpf_open_raw_tracepoint(const char* name, int program) {
  bpf_attr attr = zeroed();
  attr.raw_tracepoint.name = address(name);
  attr.raw_tracepoint.prog_fd = static_cast<uint32_t>(program);
  return descriptor(call(BPF_RAW_TRACEPOINT_OPEN, attr, HOSA_ATTR_THROUGH(raw_tracepoint)), "attach raw tracepoint",
                    name);
}

Result<Fd> bpf_create_link(int program, int target, uint32_t attach_type, uint32_t flags) {
  bpf_attr attr = zeroed();
  attr.link_create.prog_fd = static_cast<uint32_t>(program);
  attr.link_create.target_fd = static_cast<uint32_t>(target);
  attr.link_create.attach_type = attach_type;
  attr.link_create.flags = flags;
  return descriptor(call(BPF_LINK_CREATE, attr, HOSA_ATTR_THROUGH(link_create.flags)), "create BPF link", {});
}

void raise_memlock_limit() {
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  if (::setrlimit(RLIMIT_MEMLOCK, &unlimited) == 0) return;
  rlimit own{};  // without CAP_SYS_RESOURCE: at least as far as the hard limit goes
  if (::getrlimit(RLIMIT_MEMLOCK, &own) != 0) return;
  own.rlim_cur = own.rlim_max;
  ::setrlimit(RLIMIT_MEMLOCK, &own);
}

}  // namespace hosa
