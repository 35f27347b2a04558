// The only caller of bpf(2). One function per command, each with the smallest `union bpf_attr` that holds its fields
// (a kernel refuses non-zero bytes beyond what it knows with E2BIG), zeroed whole before use.
//
// Nothing here retries or falls back: that is the caller's decision. Works without BTF everywhere (5.8 and later; the
// ring buffer is the youngest thing used).
#pragma once
#include <linux/bpf.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

// The five numbers that make a map; field for field what an object states in its section "maps".
struct MapShape {
  uint32_t type = 0;  // BPF_MAP_TYPE_*
  uint32_t key_bytes = 0;
  uint32_t value_bytes = 0;
  uint32_t max_entries = 0;
  uint32_t flags = 0;
  friend bool operator==(const MapShape&, const MapShape&) = default;
};

// What only some maps need; 0 where there is none.
struct MapTypes {
  int btf = 0;  // descriptor
  uint32_t key = 0, value = 0;
  int inner = 0;              // descriptor of the inner map
  uint32_t numa_node = 0;     // with BPF_F_NUMA_NODE
  uint64_t extra = 0;         // 5.16
  uint32_t kernel_value = 0;  // struct_ops: the kernel's type (5.6),
  int kernel_module = 0;      // and the descriptor of the module's BTF that holds it (6.9)
};
// name: cut to the kernel's 15 characters; only [A-Za-z0-9_.] are allowed.
Result<Fd> bpf_create_map(std::string_view name, const MapShape& shape, const MapTypes& types = {});
// From now on neither programs nor descriptors write it, so that the verifier knows what it holds (5.2).
Result<void> bpf_freeze(int map);
// With a log buffer the kernel writes there what it finds wrong, NUL-terminated.
Result<Fd> bpf_load_btf(std::span<const unsigned char> btf, std::span<char> log = {});
// The BTF the kernel holds: identifiers in rising order (after `id`), a descriptor, the name of a kernel module's
// (5.11).
Result<uint32_t> bpf_next_btf(uint32_t id);
Result<Fd> bpf_btf_by_id(uint32_t id);
Result<FixedString<63>> bpf_btf_name(int btf);

// key and value must have the sizes of the map's shape (a PERCPU map: 8-byte rounded value times possible CPUs).
Result<void> bpf_lookup(int map, const void* key, void* value);
Result<void> bpf_update(int map, const void* key, const void* value, uint64_t flags = BPF_ANY);
Result<void> bpf_delete(int map, const void* key);
// The key after `key` (nullptr: the first); false when there is none.
Result<bool> bpf_next_key(int map, const void* key, void* next);

// Up to `count` entries at once (hash maps 5.6+; EINVAL or ENOTSUPP (524) before). `token` is a position that only the
// kernel understands, four bytes for hash maps; nullptr as `from` begins. At the end of the table `more` is false.
struct Batch {
  uint32_t count = 0;
  bool more = false;
};
Result<Batch> bpf_lookup_batch(int map, const uint32_t* from, uint32_t* token, void* keys, void* values,
                               uint32_t count);

// Loads a program. With a log buffer the verifier writes its reasons there, NUL-terminated (log level 1).
struct ProgramText {
  std::string_view name;
  uint32_t type = 0;  // BPF_PROG_TYPE_*
  std::span<const bpf_insn> instructions;
  const char* licence = "";
  uint32_t expected_attach_type = 0;
  uint32_t flags = 0;
  uint32_t kernel_version = 0;
  uint32_t attach_btf_id = 0;
  int attach_btf_module = 0;                           // descriptor of the module's BTF that holds it (5.11)
  int btf = -1;                                        // descriptor; with functions only
  std::span<const std::array<uint32_t, 2>> functions;  // first instruction, BTF type
  const int* descriptors = nullptr;                    // of modules whose functions are called, from [1] on (5.16)
};
Result<Fd> bpf_load_program(const ProgramText& program, std::span<char> log = {});

// The returned descriptor holds the attachment; closing it detaches.
Result<Fd> bpf_open_raw_tracepoint(const char* name, int program);
// BPF_LINK_CREATE, 5.7+ (XDP 5.9+): target is an interface index for XDP.
Result<Fd> bpf_create_link(int program, int target, uint32_t attach_type, uint32_t flags = 0);

// Up to 5.10 maps and programs are charged to RLIMIT_MEMLOCK (64 KiB by default): the first map fails with EPERM.
// From 5.11 on memory cgroups are charged instead and this does nothing of note. Call once, before the first map.
void raise_memlock_limit();

}  // namespace hosa
