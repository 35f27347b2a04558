// Where the kernel's code that hands out tmpfs pages lies, for the byte sensor (probes/memory.bpf.c): huge pages of a
// tmpfs mounted with huge= look like anonymous ones, only their caller tells them apart. Asked at start, and only where
// such a tmpfs may be: reading /proc/kallsyms takes 25-75 ms here, a second or two on a 125 MIPS board.
#pragma once
#include <cstdint>
#include <string_view>

#include "loader/sys/fd.h"

namespace hosa {

struct CodeRange {
  uint64_t start = 0, bytes = 0;  // bytes 0: nowhere
};

// A tmpfs of this mount namespace has huge= other than never, or shared memory has huge pages.
bool huge_tmpfs_possible(const Fd& proc, const Fd& sys);
// shmem_get_folio_gfp (before 6.0 shmem_getpage_gfp) up to the next symbol; at most 64 KiB. Hidden addresses (not root,
// kptr_restrict=2) are nowhere.
CodeRange find_shmem_code(const Fd& proc);

}  // namespace hosa
