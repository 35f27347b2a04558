// Census: what every unit of this machine uses now. A unit is a cgroup, or, among the processes of the root cgroup
// (BusyBox init, containers without cgroups, v1 hosts), the tree below one child of init.
//
// Two ways to count memory: with the memory controller by the kernel's numbers of each cgroup; without it by summing
// the processes. Growth of shared memory, kernel memory and socket buffers, which belongs to no process there, is dealt
// out to the units of those who were handed such pages meanwhile (unowned.h).
#pragma once
#include <array>
#include <span>

#include "actuate/growers.h"
#include "actuate/history.h"
#include "proprioception/cgroup_files.h"
#include "proprioception/cgroup_tree.h"
#include "proprioception/process_status.h"
#include "proprioception/process_table.h"
#include "tools/hosa/handed.h"
#include "tools/hosa/processes_before.h"
#include "tools/hosa/unowned.h"

namespace hosa {

// Units that are process trees have this bit; the rest of the key is the pid at the top. Cgroup ids are inode numbers
// of kernfs and stay far below.
inline constexpr uint64_t kTreeUnit = uint64_t{1} << 63;

struct Unit {
  uint64_t id = 0;
  FixedString<kCgroupPathBytes> path;  // of the cgroup; "/" for a tree
  int top_pid = 0;                     // of a tree, else any process of it
  uint64_t top_start_ticks = 0;
  bool is_tree() const { return (id & kTreeUnit) != 0; }
};

class Census {
 public:
  // calm: the history is kept up. onset: everything is read anew, also which cgroup each process is in. suspicious:
  // again.
  enum class Look : uint8_t { calm, onset, suspicious };
  struct Setup {
    const Fd* proc = nullptr;
    const Fd* cgroup_root = nullptr;  // nullptr: no cgroup v2
    bool memory_controller = false;
    double page_bytes = 4096;
  };
  void open(const Setup& setup) { setup_ = setup; }

  // Counts everybody. `unowned`: machine-wide, now. `handed`: the probes' table.
  void take(double now_s, const UnownedBytes& unowned, Handed& handed, Look look);

  std::span<const UnitUse> uses() const { return {uses_.data(), uses_.size()}; }
  const Unit* find(uint64_t unit) const;
  const UnitUse* use_of(uint64_t unit) const;
  // The unit that a process belongs to; 0: not seen.
  uint64_t unit_of_pid(int pid) const;
  // A tree has no file that lists it: who was born in it since the last census is a member from now on.
  void see_newborn(const Unit& unit);
  // Who of a unit's processes grew most, or used most CPU time, over the last second or more, and how much a second
  // (bytes, CPUs). pid 0: the last look did not count them one by one, or nobody did anything.
  struct Most {
    int pid = 0;
    double per_second = 0;
  };
  enum class Of : uint8_t { memory, cpu };
  Most most(const Unit& unit, Of what) const;
  // Everybody of that tree and whoever is not known yet, by one reading of /proc's names.
  void list_tree(const Unit& unit, PidList& pids) const;
  // It is a member, or its parent is, and then it is one from now on.
  bool belongs(const ProcessInfo& process, const Unit& unit);
  // The processes of a unit with what each uses, ascending by pid.
  void members(const Unit& unit, std::span<const ProcessShare> handed, Members& out) const;
  // The same for who looks again and again: of a crowd, what another look has found within the last 2 ms per member.
  // Answers when that was, CLOCK_MONOTONIC seconds.
  double glance(const Unit& unit, Members& out);
  bool by_processes() const { return !setup_.memory_controller || setup_.cgroup_root == nullptr; }
  const ProcessList& processes() const { return processes_; }

 private:
  struct Seen {
    int pid = 0;
    uint64_t start_ticks = 0, unit = 0;
    // Who starts a service forks first and moves the child then, and a program may move itself: where the young are is
    // read again after 0.1, 0.5, 2.5 and 12.5 s.
    double again_s = 0, wait_s = 0;
    static constexpr double kFirstWaitS = 0.1;
  };
  // until_news: false, and nothing whole, once a record has come (turn.h).
  bool count_members(const Unit& unit, std::span<const ProcessShare> handed, Members& out, bool until_news) const;
  void walk(double now_s);
  void list_room(const Unit& unit, PidList& pids, PidList& held) const;
  void add_unit(const Cgroup& cgroup);
  void follow_units();
  void take_processes(bool fresh, bool only_root, bool calm);
  using Takers = FixedVector<UnitBytes, kUnits>;
  void list_takers(std::span<const ProcessShare> handed, __u64 hosa_usage::*kind, Takers& takers) const;
  void deal_unowned(const UnownedBytes& bytes, Handed& handed, bool calm);
  void deal_anew(const UnownedBytes& bytes, Handed& handed, Takers& takers);
  void add_given(const UnownedGrowth& growth, double UnitUse::*kind);
  Seen place(const ProcessInfo& process, bool fresh);
  uint64_t tree_unit(const ProcessInfo& process) const;
  std::size_t slot(const Unit& unit);

  // A unit whose files stay open between walks: a look is then 60 us instead of 1.5 ms a cgroup (125 MIPS).
  struct Followed {
    CgroupMeter meter;
    uint64_t id = 0;
    double current = 0;  // memory.current when memory.stat was last read
  };
  static constexpr std::size_t kMostFollowed = 128;

  Setup setup_;
  CgroupTree tree_;
  ProcessList processes_;
  ProcessesBefore before_;
  double processes_read_s_ = -1e9;
  FixedVector<Seen, kMaxProcesses> seen_, seen_next_;  // ascending by pid
  FixedVector<Unit, kUnits> units_;
  FixedVector<UnitUse, kUnits> uses_;               // same order as units_
  FixedVector<ProcessSizes, kMaxProcesses> sizes_;  // as last read, ascending by pid
  UnownedGrowth shared_growth_, kernel_growth_;
  FixedVector<ProcessShare, HOSA_PROCESSES> handed_before_;  // ascending by process
  double handed_read_s_ = -1e9;
  UnownedBytes dealt_{-1e18, -1e18};  // as they were when the growth was last dealt out
  bool root_has_users_ = true;
  std::array<Followed, kMostFollowed> followed_;
  std::size_t followed_count_ = 0;
  double walked_s_ = -1e9, now_s_ = 0;
  KernelThreads kernel_threads_;
  unsigned passes_ = 0;
  Members crowd_;  // of the last glance
  uint64_t crowd_unit_ = 0;
  double crowd_read_s_ = -1e9;
};

}  // namespace hosa
