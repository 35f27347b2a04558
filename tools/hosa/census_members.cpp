// Who lives in a unit: its processes with what each uses, and who was born in it since the last census.
#include <time.h>

#include <algorithm>

#include "loader/sys/text.h"
#include "proprioception/directory.h"
#include "proprioception/turn.h"
#include "tools/hosa/census.h"
#include "tools/hosa/senses.h"

namespace hosa {
namespace {

constexpr std::size_t kCrowd = 64;
constexpr double kAgePerMemberS = 0.002;

bool contains(const PidList& pids, int pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

}  // namespace

// The root cgroup's room: who is in it, and who was born in it since the last census. A tree of processes has no file
// that lists it, and what a relay's newborns took was not seen at all (lab relay on the appliance: OOM).
void Census::list_room(const Unit& unit, PidList& pids, PidList& held) const {
  if (setup_.cgroup_root == nullptr) return;
  const auto room = open_directory(setup_.cgroup_root->get(), kHoldRoomName.data());
  if (!room || !read_procs(*room, held)) return;
  for (const int pid : held) {
    if (unit_of_pid(pid) != 0) continue;
    const auto process = read_process(*setup_.proc, pid);
    const uint64_t above = process ? unit_of_pid(process->parent) : 0;
    if (process && (above == unit.id || above == 0)) (void)pids.push_back(pid);
  }
}

void Census::list_tree(const Unit& unit, PidList& pids) const {
  pids.clear();
  DirectoryReader entries(setup_.proc->get());
  while (const auto entry = entries.next()) {
    let_others_run();
    const auto pid = to_number<int>(entry->name);
    if (!pid || std::binary_search(kernel_threads_.begin(), kernel_threads_.end(), *pid)) continue;
    const uint64_t known = unit_of_pid(*pid);
    if (known == 0 || known == unit.id) (void)pids.push_back(*pid);
  }
}

// Pids ascend but where they have begun anew, so a parent that was born a moment ago is met before its children.
bool Census::belongs(const ProcessInfo& process, const Unit& unit) {
  if (const uint64_t known = unit_of_pid(process.pid); known != 0) return known == unit.id;
  if (process.kernel_thread() || unit_of_pid(process.parent) != unit.id) return false;
  const bool in_order = seen_.empty() || seen_.back().pid < process.pid;
  if (!seen_.push_back({process.pid, process.start_ticks, unit.id, now_s_ + Seen::kFirstWaitS, Seen::kFirstWaitS}))
    return false;
  if (!in_order) std::sort(seen_.begin(), seen_.end(), [](const Seen& a, const Seen& b) { return a.pid < b.pid; });
  return true;
}

void Census::see_newborn(const Unit& unit) {
  if (!unit.is_tree()) return;
  static PidList pids;
  list_tree(unit, pids);
  for (const int pid : pids) {
    if (unit_of_pid(pid) != 0) continue;
    if (const auto process = read_process_stat(*setup_.proc, pid)) (void)belongs(*process, unit);
  }
}

void Census::members(const Unit& unit, std::span<const ProcessShare> handed, Members& out) const {
  (void)count_members(unit, handed, out, false);
}

bool Census::count_members(const Unit& unit, std::span<const ProcessShare> handed, Members& out,
                           bool until_news) const {
  out.clear();
  static PidList pids;
  static PidList held;
  pids.clear();
  held.clear();
  if (unit.is_tree()) {
    for (const Seen& seen : seen_) {
      if (seen.unit == unit.id) pids.push_back(seen.pid);
    }
    list_room(unit, pids, held);
  } else if (const auto cgroup = open_cgroup(*setup_.cgroup_root, unit.path.view(), unit.id)) {
    (void)read_procs(*cgroup, pids);
    if (const auto room = open_directory(cgroup->get(), kHoldRoomName.data())) (void)read_procs(*room, held);
  }
  const std::size_t outside = pids.size();
  if (!unit.is_tree()) {
    for (const int pid : held) pids.push_back(pid);
  }
  for (std::size_t i = 0; i < pids.size(); ++i) {
    const auto process = read_process(*setup_.proc, pids[i]);
    if (until_news && news_came()) return false;
    if (!process || process->kernel_thread()) continue;
    Member member;
    member.pid = process->pid;
    member.parent = process->parent;
    member.session = process->session;
    member.start_ticks = process->start_ticks;
    member.bytes = static_cast<double>(process->own_pages()) * setup_.page_bytes;
    member.cpu_s = static_cast<double>(process->cpu_ticks) / kTicksPerSecond;
    member.held = i >= outside || (unit.is_tree() && contains(held, process->pid));
    if (const ProcessShare* usage = find_handed(handed, process->pid)) {
      member.gross_bytes = static_cast<double>(usage->usage.all_bytes);
      member.births = static_cast<double>(usage->usage.forks);
      member.unowned_bytes = static_cast<double>(usage->usage.shared_bytes + usage->usage.kernel_bytes);
    }
    out.push_back(member);
  }
  std::sort(out.begin(), out.end(), [](const Member& a, const Member& b) { return a.pid < b.pid; });
  return true;
}

// Five hundred processes of a storm of forks are 0.2 s of a 125 MIPS board and 0.4 s with the rests between them: a
// hold of its CPU and one of its memory that each looked at every tick had the loop take 3 s (lab forks on the
// appliance). And a record that came in the middle of it (a byte quota is used up) made the rest hurry: neighbours
// waited 40-60 ms at each thaw of a relay (cgroup v1). So it ends there, and what it knew before stands.
double Census::glance(const Unit& unit, Members& out) {
  const double now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  const bool crowd = crowd_unit_ == unit.id && crowd_.size() >= kCrowd;
  if (!crowd || now_s - crowd_read_s_ > static_cast<double>(crowd_.size()) * kAgePerMemberS) {
    static Members now;
    if (!count_members(unit, {}, now, crowd_unit_ == unit.id)) return out = crowd_, crowd_read_s_;
    crowd_ = now;
    crowd_unit_ = unit.id;
    crowd_read_s_ = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  }
  out = crowd_;
  return crowd_read_s_;
}

}  // namespace hosa
