// /proc/meminfo: where the machine's memory is. All in bytes (the file says kB and means KiB). Fields a kernel does not
// have stay empty (KReclaimable came with 4.20, SecPageTables with 6.1).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace hosa {

struct Meminfo {
  std::optional<uint64_t> total_bytes;        // MemTotal: what the kernel manages, less than the modules' size
  std::optional<uint64_t> available_bytes;    // MemAvailable: what a new program could get without swapping
  std::optional<uint64_t> free_bytes;         // MemFree
  std::optional<uint64_t> cached_bytes;       // Cached: page cache and tmpfs
  std::optional<uint64_t> active_file_bytes;  // Active(file)
  std::optional<uint64_t> inactive_file_bytes;
  std::optional<uint64_t> anon_bytes;   // AnonPages
  std::optional<uint64_t> shmem_bytes;  // Shmem: tmpfs, SysV and shared anonymous memory; cannot be dropped
  std::optional<uint64_t> slab_bytes;
  std::optional<uint64_t> slab_reclaimable_bytes;
  std::optional<uint64_t> slab_unreclaimable_bytes;
  std::optional<uint64_t> dirty_bytes;
  std::optional<uint64_t> swap_total_bytes;
  std::optional<uint64_t> swap_free_bytes;
};

Meminfo parse_meminfo(std::string_view text);

}  // namespace hosa
