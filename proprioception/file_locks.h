// Who waits for whose file lock, from /proc/locks (fs/locks.c, lock_get_status). A waiter's line follows the line of
// the lock it waits for and is marked "->", indented by one more space per level:
//   1: POSIX  ADVISORY  WRITE 8001 fe:00:11100270 0 EOF
//   1: -> POSIX  ADVISORY  WRITE 8002 fe:00:11100270 0 EOF
// Read each tick while something is frozen: if somebody waits behind a held process, it is thawed until it has let go.
#pragma once
#include <optional>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"
#include "proprioception/capacity.h"

namespace hosa {

struct LockWait {
  int waiter = 0;
  int holder = 0;  // whose lock, or whose place in the queue, it waits for; 0: an open file description's (no pid)
};
using LockWaits = FixedVector<LockWait, kMaxLockWaits>;

// Fed line by line, in order. A damaged line ends the chain it is in.
class LockLines {
 public:
  std::optional<LockWait> take(std::string_view line);

 private:
  static constexpr int kLevels = 16;
  int pid_at_[kLevels] = {};
  int levels_ = 0;
};

// False in `complete`: more waiters than the list holds.
struct LockPass {
  bool complete = true;
};
Result<LockPass> read_lock_waits(const Fd& proc, LockWaits& waits);

}  // namespace hosa
