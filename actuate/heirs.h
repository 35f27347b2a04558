// Heirs: threads and children of held processes inherit SCHED_IDLE and oom_score_adj 1000 (sched_fork, copy_signal) and
// stay in the session whose autogroup was lowered, also those born in the moment before the agent died and so in
// nobody's journal. After an undo they are found by descent and get what their parent had before. Threads that were
// idle before us are journalled as such (process_hold.cpp) and are none.
#pragma once
#include "actuate/journal.h"
#include "loader/sys/fd.h"
#include "loader/sys/fixed.h"

namespace hosa {

class Heirs {
 public:
  void note(const JournalEntry& entry);
  // Everybody who is in a hold room now: born there of somebody who may have ended since, so no parent leads to him.
  void note_room(const Fd& cgroup);
  // Who was born in the culprit since it is held, where there is no room to find him in.
  void note_kin(std::span<const int> pids);
  // Who is noted from rooms and as kin; may be asked while they are still frozen. How many got something.
  int restore_roommates(const Fd& proc);
  // These, and everybody by descent: three passes over /proc at most, a generation each.
  int restore(const Fd& proc);

 private:
  struct Parent {
    int pid = 0;
    uint64_t start_ticks = 0;
    bool idle = false, oom = false;
    int policy = 0, oom_score_adj = 0;
  };
  struct Session {
    int autogroup = 0, nice = 0;
  };
  Parent* find(int pid);
  // True if something was given back.
  bool give_back(const Fd& proc, int pid, const Parent& like) const;
  bool give_back_threads(const Fd& proc, int pid, int policy) const;
  bool give_back_autogroup(const Fd& proc, int pid) const;
  // One pass over everybody; answers how many were restored.
  int restore_children(const Fd& proc);
  FixedVector<Parent, 512> parents_;
  FixedVector<Session, 512> sessions_;
  FixedVector<int, 512> roommates_;
  FixedVector<int, 512> idle_before_;  // thread ids
};

}  // namespace hosa
