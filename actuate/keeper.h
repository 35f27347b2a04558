// The keeper: hosa's second process, which gives everything back when the agent is gone, stopped or stuck, does what
// may take milliseconds (hold rooms, moving processes, switching controllers on, the kernel's preemption), and writes
// the audit ring to disk.
//
// It waits on the agent's pidfd and on one SOCK_SEQPACKET socket; while the journal holds entries it looks at the
// agent's stamp each half second. It has a session of its own, ignores INT, TERM and HUP, and ends when the agent has
// and everything is given back. hosa without a living keeper acts on nobody (holding.md 5).
#pragma once
#include <sys/types.h>

#include "actuate/growers.h"
#include "actuate/journal.h"
#include "actuate/saved_file.h"
#include "actuate/undo.h"

namespace hosa {

inline constexpr double kStampLimitS = 2.0;  // a stamp so old: the agent is stopped, frozen or in D state
inline constexpr int kLookMs = 500;

enum class KeeperTask : uint32_t {
  make_room = 1,
  move_in,
  close_room,
  switch_on,
  drain_audit,
  save,
  preempt,      // the kernel is made preemptible (kernel_setting.h)
  preempt_less  // and what it was before
};

// One packet each way; fixed size, checked by the receiver.
struct KeeperRequest {
  KeeperTask task = KeeperTask::make_room;
  uint32_t id = 0;  // echoed
  uint64_t cgroup_id = 0;
  uint64_t deadline_ns = 0;  // of what gets journalled
  char path[journal_layout::kPathBytes] = {};
  char word[32] = {};  // controller to switch on
  int32_t pid_count = 0;
  int32_t pids[kMostGrowers] = {};
};

struct KeeperAnswer {
  uint32_t id = 0;
  KeeperTask task = KeeperTask::make_room;
  int32_t error = 0;  // errno, 0 = done
  int32_t count = 0;  // moved processes
  uint64_t took_us = 0;
};

struct KeeperSetup {
  const Roots* roots = nullptr;
  FixedString<256> audit_path;  // empty: no file
  SavedPages* pages = nullptr;  // what KeeperTask::save writes; null: nothing is saved
};

// The agent's end.
class Keeper {
 public:
  // Forks the keeper. To be called before any limit; it can be called again when the keeper has gone: the new one
  // closes what it has no need of and has normal scheduling, whatever the agent is by now.
  static Result<Keeper> start(Journal& journal, const KeeperSetup& setup);
  // Sends without waiting; the answer comes at fd(). EAGAIN: its queue is full.
  Result<uint32_t> ask(KeeperRequest request);
  // The same for what others wait for (switch_on): the keeper has the agent's own scheduling for this one task. Among
  // two hundred runnable tasks of a storm it would come to its turn after each of them.
  Result<uint32_t> ask_at_once(KeeperRequest request);
  // Nothing: no answer waits. `gone()` afterwards says whether the keeper ended.
  std::optional<KeeperAnswer> take_answer();
  int fd() const { return socket_.get(); }
  pid_t pid() const { return pid_; }
  bool gone() const { return gone_; }
  // At the agent's own end, once everything is given back: the keeper drains the audit ring and leaves. Waits for it.
  void dismiss();

 private:
  Fd socket_;
  pid_t pid_ = -1;
  uint32_t next_id_ = 0;
  bool gone_ = false;
};

KeeperRequest make_request(KeeperTask task, uint64_t cgroup_id, std::string_view path, uint64_t deadline_ns,
                           std::string_view word = {});

}  // namespace hosa
