// The journal: what hosa has changed on this machine, written down before it was changed (spec S1, S2).
//
// A fixed-size file mapped MAP_SHARED by agent and keeper, in the run directory (a tmpfs), blocks allocated when it is
// made, so that neither a full disk nor a SIGKILL at any instant can leave half an entry: an entry is filled
// completely and then published by one store. Whoever opens it later (the keeper, `hosa release --all`, the next
// agent) undoes what it lists (undo.h). All reading copies an entry out and checks it: checksums, text ends, indices.
//
// Order of every change:  remember() -> change -> (renew() while needed) -> undo -> forget().
// When remember() fails (full, text too long), the caller must not make the change.
//
// Agent and keeper share it. An entry that the keeper undid while the agent lives becomes `returned`, not free: an
// agent that was stopped between remember() and its write may still make that write when it wakes up, so the keeper
// looks at returned entries again until the agent has acknowledged them (accept_give_back in undo.h) or is gone.
#pragma once
#include <optional>
#include <span>

#include "actuate/audit_ring.h"
#include "actuate/journal_layout.h"
#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

enum class EntryKind : uint8_t {
  limit_file = 1,   // a value in a cgroup file
  room,             // the child hosa.hold of the cgroup
  thread_policy,    // SCHED_IDLE on one thread; values are "policy" as sched_setscheduler takes it
  oom_score_adj,    // of a process
  stopped,          // SIGSTOP sent to a process
  controller,       // switched on in the cgroup's subtree_control; value is its name
  freeze_in_place,  // cgroup.freeze of a cgroup that is not our room
  autogroup,        // nice of a session's autogroup; value is the number
  khugepaged,       // its pages_to_scan (kernel_setting.h)
  page_lists,       // vm.percpu_pagelist_high_fraction
  preemption,       // of the kernel
};
constexpr uint8_t kLastEntryKind = static_cast<uint8_t>(EntryKind::preemption);

enum class CgroupFile : uint8_t {
  none,
  memory_high,
  memory_swap_max,
  pids_max,
  cpu_weight,
  cpu_max,
  io_weight,
  io_max,
  cgroup_freeze,
  subtree_control,
  cpu_shares,  // of cgroup v1: its path is below Roots::cpu_v1
};
constexpr uint8_t kLastCgroupFile = static_cast<uint8_t>(CgroupFile::cpu_shares);
const char* file_name(CgroupFile file);       // "memory.high"
const char* entry_kind_name(EntryKind kind);  // "limit", "room", ...

using ValueText = FixedString<journal_layout::kValueBytes - 1>;
using JournalPath = FixedString<journal_layout::kPathBytes - 1>;

enum class EntryState : uint32_t { free, armed, returned };

// One entry, copied out and checked. What does not apply to a kind is empty or 0.
struct JournalEntry {
  EntryKind kind = EntryKind::limit_file;
  CgroupFile file = CgroupFile::none;
  EntryState state = EntryState::free;
  uint64_t cgroup_id = 0;  // st_ino of the cgroup's directory
  JournalPath path;        // below the cgroup root, "/a/b"; "/" = root
  int pid = 0;             // thread group
  int tid = 0;
  uint64_t start_ticks = 0;  // field 22 of /proc/PID/stat
  ValueText old_value;       // what stood there before us
  ValueText ours;            // what we write
  ValueText ours_before;     // what we had written until the last rewrite; empty: none
  uint64_t deadline_ns = 0;  // CLOCK_BOOTTIME; past it the keeper undoes the entry
};

class Journal {
 public:
  // Opens or makes DIRECTORY/journal (the directory too, mode 0700) and takes its lock: EAGAIN while another hosa or
  // its keeper holds it. A file of another boot, size or version is dropped unread (dropped_because() says so).
  // A directory that belongs to somebody else or that others may write to is refused (EPERM): /dev/shm is theirs too.
  static Result<Journal> open(const char* directory, std::string_view boot_id);
  // The same without a file; it lives as long as agent or keeper does.
  static Result<Journal> in_memory(std::string_view boot_id);
  // The first directory that can be had (kRunDirectories unless told), else in memory. EAGAIN is not skipped.
  static Result<Journal> open_first(std::span<const char* const> directories, std::string_view boot_id);

  Journal(Journal&& other) noexcept;
  Journal& operator=(Journal&&) = delete;
  ~Journal();

  // --- the order of every change
  Result<int> remember(const JournalEntry& entry);          // index; ENOSPC when full, E2BIG when a text does not fit
  Result<void> set_ours(int index, std::string_view next);  // before a rewrite: next and the one before count as ours
  void renew(int index, uint64_t deadline_ns);
  void forget(int index);
  void mark_returned(int index);  // keeper only

  // --- looking; any index and any content is safe
  std::optional<JournalEntry> read(int index) const;  // nothing when free, damaged or out of range
  EntryState state(int index) const;
  int held_count() const;                                               // armed and returned ones
  int find(EntryKind kind, CgroupFile file, uint64_t cgroup_id) const;  // index or -1
  int find_process(EntryKind kind, int pid, int tid, uint64_t start_ticks) const;
  bool is_of(int index, EntryKind kind, int tid) const;  // without copying the entry out
  bool is_expired(int index, uint64_t boottime_ns) const;
  int forget_process(int pid, uint64_t start_ticks);  // it is gone, and with it what was changed of it; how many
  // The thread ids that entries of that kind name for a process: how many were put into `tids`.
  std::size_t list_threads(EntryKind kind, int pid, uint64_t start_ticks, std::span<int> tids) const;
  int drop_damaged();  // frees entries that do not verify; at start and by the keeper's last pass. How many.
  static constexpr int capacity() { return journal_layout::kEntries; }

  // --- who is who
  void set_agent(int pid, uint64_t start_ticks);  // at start, once what an earlier agent left is undone
  int agent_pid() const;
  uint64_t agent_start_ticks() const;
  void set_keeper(int pid);
  int keeper_pid() const;
  void become_keeper();  // in the keeper: allocate from the keeper's ranges from now on

  // --- the shared words (keeper.h says how they are used)
  void stamp(uint64_t monotonic_ns);
  uint64_t* stamp_word() { return &file_->header.stamp_ns; }
  uint64_t stamp_ns() const;
  void set_acting(bool acting);
  bool acting() const;
  void set_watching(bool watching);
  bool watching() const;
  void count_give_back();
  bool gave_back() const;  // the keeper gave everything back and the agent has not yet acknowledged it
  void acknowledge_give_back();
  AuditRing audit() { return AuditRing(file_->audit); }

  int fd() const { return fd_.get(); }
  const char* dropped_because() const { return dropped_because_; }  // "" when nothing was dropped
  std::string_view directory() const { return directory_.view(); }  // "" = in memory

 private:
  Journal() = default;
  static Result<Journal> map(Fd fd, std::string_view boot_id, bool fresh);
  const char* judge_header(std::string_view boot_id) const;
  void initialise(std::string_view boot_id);
  int find_free() const;
  Result<int> place_path(std::string_view path, uint64_t cgroup_id);

  Fd fd_;
  journal_layout::File* file_ = nullptr;
  bool keeper_side_ = false;
  const char* dropped_because_ = "";
  FixedString<120> directory_;
};

constexpr const char* kRunDirectories[] = {"/run/hosa", "/var/run/hosa", "/dev/shm/hosa"};

}  // namespace hosa
