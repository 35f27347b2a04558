// /proc/vmstat: what the memory management has done since boot. Counters, in pages or events as the name says; the page
// is the machine's (4, 16 or 64 KiB).
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace hosa {

struct Vmstat {
  std::optional<uint64_t> page_faults;       // pgfault: minor and major; one per huge page
  std::optional<uint64_t> major_faults;      // pgmajfault
  std::optional<uint64_t> pages_allocated;   // sum of pgalloc_*: gross, in base pages, sees huge pages
  std::optional<uint64_t> swap_in_pages;     // pswpin
  std::optional<uint64_t> swap_out_pages;    // pswpout
  std::optional<uint64_t> direct_reclaims;   // sum of allocstall_*: times somebody had to reclaim for itself
  std::optional<uint64_t> refault_file;      // workingset_refault_file (before 5.9: workingset_refault), pages
  std::optional<uint64_t> refault_anon;      // workingset_refault_anon, pages
  std::optional<uint64_t> pages_scanned;     // pgscan_{kswapd,direct,khugepaged,proactive}
  std::optional<uint64_t> pages_reclaimed;   // pgsteal_ likewise
  std::optional<uint64_t> huge_page_faults;  // thp_fault_alloc
  std::optional<uint64_t> oom_kills;         // oom_kill
};

Vmstat parse_vmstat(std::string_view text);

}  // namespace hosa
