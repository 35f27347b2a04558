// Settings of the kernel that are lowered while somebody is likely to be held, so that what a culprit's memory costs in
// one piece is little: its neighbours wait for as long as the kernel neither sleeps nor looks up.
//
// khugepaged collapses the small pages of a held heap into huge ones: eight every 10 s, 230 ms in which one 125 MIPS
// CPU serves nobody else (6.1: __collapse_huge_page_copy() copies 2 MB without cond_resched()), and what it takes
// counts as growth of the frozen culprit. One page scanned means one collapse.
//
// A CPU's list of free pages grows to the low watermark (12,000 pages of 1 GiB with huge pages on), and a process that
// ends may make 5.14-6.6 free the whole list with interrupts off (mm/page_alloc.c, nr_pcp_free()): 27-43 ms there, two
// or three times in a relay. With the highest fraction the list is four batches long, and the longest stall 5 ms.
//
// A kernel that may be preempted anywhere serves who waits in the middle of somebody's exit or fork. Debian's can be
// made so while it runs (PREEMPT_DYNAMIC, "full"); as it is shipped ("voluntary") the exits of 33 processes of 10 MB
// made 50-60 of a relay's 120 slowest answers, 6 so.
//
// Settings of the machine, not of anybody's: journalled, and given back like every other change.
#pragma once
#include <array>

#include "actuate/journal.h"

namespace hosa {

struct KernelSetting {
  EntryKind kind;
  const char* file_system;  // nullptr: `file` is an absolute path; else below its root, wherever it is mounted or not
  const char* file;
  std::string_view ours;
  const char* what;
};
inline constexpr std::array kKernelSettings{
    KernelSetting{EntryKind::khugepaged, nullptr, "/sys/kernel/mm/transparent_hugepage/khugepaged/pages_to_scan", "1",
                  "khugepaged: one page at a time"},
    KernelSetting{EntryKind::page_lists, nullptr, "/proc/sys/vm/percpu_pagelist_high_fraction", "1048576",
                  "free pages: the shortest lists per CPU"}};
// Apart, for a crowd only: the kernel rewrites some thousand places of its own text, 80 ms there. The keeper's work.
inline constexpr KernelSetting kPreemption{EntryKind::preemption, "debugfs", "sched/preempt", "full",
                                           "the kernel: preemptible"};
const KernelSetting* kernel_setting(EntryKind kind);  // nullptr: the kind is none

// The journal's entry; none: nothing was changed (not this kernel's, already ours, journal full).
std::optional<int> lower(const KernelSetting& setting, Journal& journal, uint64_t deadline_ns);

// A number, or the one of several words that is in parentheses: "none (voluntary) full".
std::optional<ValueText> value_in(std::string_view text);
std::optional<ValueText> read_setting(const KernelSetting& setting);
bool write_setting(const KernelSetting& setting, std::string_view value);

}  // namespace hosa
