// The hold room: the child cgroup `hosa.hold` inside the culprit's own cgroup X, without controllers, in which the
// processes that grow are frozen and thawed (holding.md 2). X itself is never frozen.
//
// Making it and moving processes takes 4-13 ms and stalls forks, so that is the keeper's work; freezing and thawing is
// one write (tens of microseconds) and the loop's, through a descriptor that stays open.
#pragma once
#include <span>

#include "actuate/limit.h"
#include "proprioception/cgroup_files.h"

namespace hosa {

inline constexpr const char* kRoomName = "hosa.hold";

class Room {
 public:
  // The room of X, open. ENOENT: there is none.
  static Result<Room> open(const Fd& cgroup);
  Result<void> freeze() const;
  Result<void> thaw() const;
  // Sets `pids` to who is inside now.
  Result<void> members(PidList& pids) const { return read_procs(directory_, pids); }
  const Fd& directory() const { return directory_; }

 private:
  Fd directory_, freeze_;
};

// Journal first, then mkdir; answers the entry. EEXIST without an entry of ours: somebody else's, left alone.
// EOPNOTSUPP (threaded domain) and EAGAIN (max.depth, max.descendants) mean: next rung.
Result<int> make_room(Journal& journal, const CgroupRef& cgroup, uint64_t deadline_ns);

// Moves each into the room; who has gone meanwhile does not count. Answers how many were moved.
Result<int> move_in(const Fd& cgroup, std::span<const int> pids);

// While still frozen: everybody back into X, repeated until the room is empty; then it is removed. Members run on
// arrival, so none has a moment to fork inside. EBUSY: it did not get empty (100 rounds).
Result<void> close_room(const Fd& cgroup);

}  // namespace hosa
