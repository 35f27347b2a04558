#include "proprioception/meminfo.h"

#include <algorithm>

#include "proprioception/field_table.h"

namespace hosa {

namespace {
constexpr uint64_t kKibibyte = 1024;
constexpr Field<Meminfo> kFields[] = {
    {"MemTotal", &Meminfo::total_bytes},
    {"MemAvailable", &Meminfo::available_bytes},
    {"MemFree", &Meminfo::free_bytes},
    {"Cached", &Meminfo::cached_bytes},
    {"Active(file)", &Meminfo::active_file_bytes},
    {"Inactive(file)", &Meminfo::inactive_file_bytes},
    {"AnonPages", &Meminfo::anon_bytes},
    {"Shmem", &Meminfo::shmem_bytes},
    {"Slab", &Meminfo::slab_bytes},
    {"SReclaimable", &Meminfo::slab_reclaimable_bytes},
    {"SUnreclaim", &Meminfo::slab_unreclaimable_bytes},
    {"Dirty", &Meminfo::dirty_bytes},
    {"SwapTotal", &Meminfo::swap_total_bytes},
    {"SwapFree", &Meminfo::swap_free_bytes},
};
}  // namespace

Meminfo parse_meminfo(std::string_view text) {
  Meminfo out;
  fill_fields<Meminfo>(text, kFields, kKibibyte, out);
  return out;
}

std::optional<uint64_t> kernel_bytes(const Meminfo& memory) {
  const std::optional<uint64_t> others[] = {
      memory.free_bytes, memory.active_file_bytes,      memory.inactive_file_bytes,
      memory.anon_bytes, memory.slab_reclaimable_bytes, memory.shmem_bytes};
  uint64_t sum = 0;
  for (const auto& bytes : others) {
    if (!bytes || !memory.total_bytes) return memory.slab_unreclaimable_bytes;
    sum += std::min(*bytes, *memory.total_bytes);
  }
  return *memory.total_bytes - std::min(*memory.total_bytes, sum);
}

}  // namespace hosa
