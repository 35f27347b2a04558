// khugepaged's pace, lowered while somebody is held. It collapses the small pages of a held heap into huge ones: eight
// every 10 s, 230 ms in which one 125 MIPS CPU serves nobody else (6.1: __collapse_huge_page_copy() copies 2 MB without
// cond_resched()), and what it takes counts as growth of the frozen culprit. One page scanned means one collapse.
//
// A setting of the machine, not of anybody's: journalled, and given back like every other change.
#pragma once
#include "actuate/journal.h"

namespace hosa {

// pages_to_scan = 1. The journal's entry; -1: nothing was changed (no huge pages here, already low, journal full).
int slow_khugepaged(Journal& journal, uint64_t deadline_ns);

std::optional<ValueText> read_khugepaged();
bool write_khugepaged(std::string_view value);

}  // namespace hosa
