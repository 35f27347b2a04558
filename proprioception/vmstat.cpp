#include "proprioception/vmstat.h"

#include "proprioception/field_table.h"

namespace hosa {

namespace {

constexpr Field<Vmstat> kFields[] = {
    {"pgfault", &Vmstat::page_faults},
    {"pgmajfault", &Vmstat::major_faults},
    {"pswpin", &Vmstat::swap_in_pages},
    {"pswpout", &Vmstat::swap_out_pages},
    {"workingset_refault_file", &Vmstat::refault_file},
    {"workingset_refault", &Vmstat::refault_file},
    {"workingset_refault_anon", &Vmstat::refault_anon},
    {"thp_fault_alloc", &Vmstat::huge_page_faults},
    {"oom_kill", &Vmstat::oom_kills},
};

// pgscan_anon, pgscan_file count the same pages a second time, pgscan_direct_throttle counts something else: the sums
// take the four reclaimers by name.
bool is_reclaimer(std::string_view name) {
  return name == "kswapd" || name == "direct" || name == "khugepaged" || name == "proactive";
}

void add_split(std::string_view key, uint64_t value, Vmstat& out) {
  if (key.starts_with("allocstall")) {
    add_to(out.direct_reclaims, value);  // per zone since 4.10: allocstall_dma, _normal, _movable
  } else if (key.starts_with("pgalloc_")) {
    add_to(out.pages_allocated, value);
  } else if (key.starts_with("pgscan_") && is_reclaimer(slice(key, 7))) {
    add_to(out.pages_scanned, value);
  } else if (key.starts_with("pgsteal_") && is_reclaimer(slice(key, 8))) {
    add_to(out.pages_reclaimed, value);
  }
}

constexpr FirstLetters letters() {
  FirstLetters all = first_letters(std::span<const Field<Vmstat>>(kFields));
  all.add('a');  // allocstall_*; the other sums begin with p
  return all;
}

}  // namespace

Vmstat parse_vmstat(std::string_view text) {
  Vmstat out;
  each_field(text, letters(), [&](std::string_view key, uint64_t value) {
    for (const Field<Vmstat>& field : kFields)
      if (field.key == key) out.*field.member = value;
    add_split(key, value, out);
  });
  return out;
}

}  // namespace hosa
