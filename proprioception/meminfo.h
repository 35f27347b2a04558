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

// What is in use and is no file's, no process's anonymous and no shared memory, and cannot be dropped: slab, page
// tables, stacks, and whole pages that no other line of the file shows. Messages in local sockets are such pages: 50
// MB/s of them were nobody's until memory had run out (lab sockets on a Pi 5). Free pages on the CPUs' own lists count
// as used: up to 48 MB a CPU were seen, so growth is to be believed only of those who were handed such pages. Without
// one of the lines: slab that cannot be reclaimed, or nothing.
std::optional<uint64_t> kernel_bytes(const Meminfo& memory);

}  // namespace hosa
