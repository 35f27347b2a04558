// Giving back what the journal lists: by the agent for one entry, by the keeper and `hosa release --all` for all
// (spec S2, S4, S5). Idempotent; what is not ours any more is left alone and counted.
#pragma once
#include <span>

#include "actuate/journal.h"
#include "actuate/process_hold.h"
#include "loader/sys/fd.h"

namespace hosa {

struct Roots {
  const Fd* proc = nullptr;
  const Fd* cgroup = nullptr;  // nullptr: there is no cgroup v2
  const Fd* cpu_v1 = nullptr;  // the root of the cpu controller's v1 hierarchy, where there is one
};

enum class Undone : uint8_t {
  restored,   // our value stood there, the earlier one stands now
  already,    // the earlier value stood there
  somebodys,  // another value stood there: left (S4)
  gone,       // the cgroup or process does not exist any more
  kept,       // a controller that somebody uses now: stays on (holding.md 5)
  failed,     // could not be undone; the entry stays, to be tried again
};
const char* undone_name(Undone outcome);

struct UndoReport {
  int count[6] = {};
  int total() const;
  int operator[](Undone outcome) const { return count[static_cast<int>(outcome)]; }
};

// Undoes one entry; it is forgotten unless that failed.
Undone undo_entry(Journal& journal, int index, const Roots& roots);
// All of a kind, newest first: a controller goes off below before above. How many there were.
int undo_kind(Journal& journal, EntryKind kind, const Roots& roots);

// Everything, in this order: what children would inherit (policies, oom_score_adj) while the held still cannot run,
// then stopped and frozen ones, hold rooms, limits, the machine's settings. Heirs (children that inherited SCHED_IDLE
// or oom_score_adj 1000 from a held process and were not journalled yet) get the same. keep_returned: leave undone
// entries marked `returned` (the keeper's way while the agent still exists).
UndoReport undo_all(Journal& journal, const Roots& roots, bool keep_returned);

// What was done to these processes themselves (policy, oom_score_adj), and what their children inherited; `cgroup` is
// where their hold room is, if there is one. Answers how many values were restored.
int undo_processes(Journal& journal, const Roots& roots, std::span<const ProcessRef> processes, const Fd& cgroup,
                   std::span<const int> kin = {});

// Entries whose lease has run out.
UndoReport undo_expired(Journal& journal, const Roots& roots, uint64_t boottime_ns);

// The agent, once it has seen gave_back(): undoes once more what the keeper returned, and forgets it. Once more,
// because an agent that was stopped between journal and write makes that write when it goes on, after the keeper
// looked.
void accept_give_back(Journal& journal, const Roots& roots);

}  // namespace hosa
