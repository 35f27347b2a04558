#include "proprioception/meminfo.h"

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

}  // namespace hosa
