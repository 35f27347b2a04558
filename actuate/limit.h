// One limit in one cgroup file: applied, rewritten, recognised. Every write is journalled first (S1); a value is never
// loosened: what is written is the stricter of ours and what stood there before us.
#pragma once
#include "actuate/journal.h"
#include "loader/sys/fd.h"

namespace hosa {

// A cgroup as it was judged: its open directory, its id, and its path below the v2 root (S5).
struct CgroupRef {
  const Fd* directory = nullptr;
  uint64_t id = 0;
  std::string_view path;
};

struct LimitChange {
  bool written = false;  // false: what stood there was stricter already, nothing was journalled
  int entry = -1;        // index in the journal
  ValueText old_value, new_value;
};

// wanted: "max", a number, or for cpu.max "QUOTA PERIOD". Values of memory files are to be page-aligned (the kernel
// rounds down, mm/page_counter.c) so that our own value is recognised when it is read back.
Result<LimitChange> apply_limit(Journal& journal, const CgroupRef& cgroup, CgroupFile file, std::string_view wanted,
                                uint64_t deadline_ns);

// Our own value, written anew (the insurance line goes upward while a bucket runs, holding.md 1). ESTALE: what stands
// there is not ours any more.
Result<void> rewrite_limit(Journal& journal, int entry, const Fd& cgroup, std::string_view next);

// S4. Whose value stands in a file that an entry describes?
enum class Owner : uint8_t { ours, before_us, somebody };
Owner owner_of(const JournalEntry& entry, std::string_view standing);

// S4, once a second per entry: `systemctl daemon-reload` puts memory.high and pids.max back and switches the cpu
// controller off (findings 3). A value that went back to what it was before ours is written again, kMostRewrites times
// at most; any other value is somebody's: the entry is forgotten and theirs stays. absent: the controller is off.
enum class Kept : uint8_t { ours, written_again, somebodys, absent, given_up };
inline constexpr int kMostRewrites = 5;
Kept keep_limit(Journal& journal, int entry, const Fd& cgroup, int& rewrites);

// "max" is larger than every number; cpu.max compares by quota over period. <= keeps the older one, and so does a
// value that is not understood.
bool is_stricter(CgroupFile file, std::string_view ours, std::string_view standing);

Result<ValueText> read_value(const Fd& cgroup, CgroupFile file);
Result<void> write_value(const Fd& cgroup, CgroupFile file, std::string_view value);

}  // namespace hosa
