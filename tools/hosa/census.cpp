#include "tools/hosa/census.h"

#include <algorithm>

#include "proprioception/turn.h"

namespace hosa {
namespace {

constexpr double kWalkS = 1, kWalkCalmS = 30;  // how often new cgroups are looked for, suspicious and calm
constexpr std::size_t kFlatGroups = 2;         // the root, and a hold room
constexpr double kMoved = 64 * 1024;           // bytes
constexpr unsigned kForgetPasses = 64;         // known kernel threads are read again: pids are used again
constexpr double kLastWaitS = 20;
constexpr double kForgetS = 60;  // what a process had used so long ago says nothing of now

}  // namespace

// The index of the unit in units_, added when new. A full table puts what is over into the last slot: it is counted,
// only not told apart.
std::size_t Census::slot(const Unit& unit) {
  for (std::size_t i = units_.size(); i > 0; --i) {
    if (units_[i - 1].id == unit.id) return i - 1;
  }
  if (units_.push_back(unit)) {
    UnitUse use;
    use.unit = unit.id;
    uses_.push_back(use);
  }
  return units_.size() - 1;
}

const Unit* Census::find(uint64_t unit) const {
  for (const Unit& candidate : units_) {
    if (candidate.id == unit) return &candidate;
  }
  return nullptr;
}

const UnitUse* Census::use_of(uint64_t unit) const {
  for (const UnitUse& use : uses_) {
    if (use.unit == unit) return &use;
  }
  return nullptr;
}

uint64_t Census::unit_of_pid(int pid) const {
  const auto at =
      std::lower_bound(seen_.begin(), seen_.end(), pid, [](const Seen& seen, int key) { return seen.pid < key; });
  return at != seen_.end() && at->pid == pid ? at->unit : 0;
}

// In the root cgroup: the unit of the parent, if that was a tree; a child of init or of a process elsewhere is the top
// of its own. Once placed a process stays, so one that leaves its parent (setsid, double fork) is still of its tree.
uint64_t Census::tree_unit(const ProcessInfo& process) const {
  int top = process.pid;
  const ProcessInfo* above = &process;
  for (int depth = 0; depth < 64 && above->parent > 2; ++depth) {
    const uint64_t known = unit_of_pid(above->parent);
    if ((known & kTreeUnit) != 0) return known;
    const ProcessInfo* parent = find_process(processes_, above->parent);
    if (parent == nullptr || known != 0) break;
    above = parent;
    top = parent->pid;
  }
  return kTreeUnit | static_cast<uint64_t>(top);
}

Census::Seen Census::place(const ProcessInfo& process, bool fresh) {
  const auto at = std::lower_bound(seen_.begin(), seen_.end(), process.pid,
                                   [](const Seen& seen, int key) { return seen.pid < key; });
  const bool known = at != seen_.end() && at->pid == process.pid && at->start_ticks == process.start_ticks;
  if (known && !fresh && now_s_ < at->again_s) return *at;
  Seen seen{process.pid, process.start_ticks, 0, 0, known ? 5 * at->wait_s : Seen::kFirstWaitS};
  seen.again_s = seen.wait_s < kLastWaitS ? now_s_ + seen.wait_s : 1e18;
  if (setup_.cgroup_root != nullptr && tree_.items.size() > 1) {  // else there is none but the root
    const auto path = read_cgroup_path(*setup_.proc, process.pid);
    const int index = path ? tree_.index_of(path->view()) : -1;
    if (index > 0) {
      seen.unit = tree_.items[static_cast<std::size_t>(index)].id;
      return seen;
    }
  }
  seen.unit = known && (at->unit & kTreeUnit) != 0 ? at->unit : tree_unit(process);
  return seen;
}

// The unit of a cgroup's memory is the nearest one above that has memory files: below a container without delegation
// the processes live deeper than the accounting.
void Census::add_unit(const Cgroup& cgroup) {
  const Cgroup* owner = &cgroup;
  while (!owner->usage.has_memory && owner->parent > 0) owner = &tree_.items[static_cast<std::size_t>(owner->parent)];
  Unit unit;
  unit.id = owner->id;
  unit.path = owner->path;
  const std::size_t known = units_.size(), i = slot(unit);
  uses_[i].cpu_s += static_cast<double>(cgroup.own_cpu_usec) * 1e-6;
  uses_[i].forks += static_cast<double>(cgroup.own_pids);
  if (units_.size() == known) return;
  uses_[i].bytes = static_cast<double>(owner->own_undroppable_bytes);
  if (followed_count_ == kMostFollowed) return;
  const auto directory = open_cgroup(*setup_.cgroup_root, owner->path.view(), owner->id);
  if (!directory) return;
  Followed& followed = followed_[followed_count_++];
  if (followed.id != owner->id) followed.meter = CgroupMeter::open(*directory);
  followed.id = owner->id;
  followed.current = static_cast<double>(owner->usage.current_bytes);
}

void Census::walk(double now_s) {
  walked_s_ = now_s;
  tree_.items.clear();
  units_.clear();
  uses_.clear();
  const auto detail = setup_.memory_controller ? WalkDetail::usage : WalkDetail::structure;
  if (setup_.cgroup_root != nullptr) {
    (void)walk_cgroups(*setup_.cgroup_root, detail, tree_);  // an unreadable root leaves the processes to be counted
  }
  followed_count_ = 0;
  if (by_processes()) return;
  for (const Cgroup& cgroup : tree_.items) {
    if (cgroup.has_processes && cgroup.parent >= 0) add_unit(cgroup);
  }
}

// Between walks: memory.stat (six times dearer than memory.current) only of those whose memory.current has moved.
void Census::follow_units() {
  for (std::size_t i = 0; i < followed_count_; ++i) {
    Followed& followed = followed_[i];
    UnitUse& use = uses_[i];  // same order: units were added together
    if (use.unit != followed.id) continue;
    let_others_run();
    const double current = followed.meter.read_current();
    if (current < 0) continue;
    if (current > followed.current + kMoved || current < followed.current - kMoved) {
      const CgroupUsage usage = followed.meter.read();
      use.bytes = static_cast<double>(usage.undroppable_bytes);
      use.forks = static_cast<double>(usage.pids);
      use.cpu_s = static_cast<double>(usage.cpu_usec) * 1e-6;
      followed.current = current;
    } else {
      const CgroupUsage usage = followed.meter.read_rates();
      use.forks = static_cast<double>(usage.pids);
      use.cpu_s = static_cast<double>(usage.cpu_usec) * 1e-6;
    }
  }
}

// When calm, who has not changed its size by stat is taken to be as large as it was: statm, which is more exact on new
// kernels, is read of everybody while somebody is suspected.
void Census::take_processes(bool fresh, bool only_root, bool calm) {
  if (++passes_ % kForgetPasses == 0) kernel_threads_.clear(), sizes_.clear();
  if (!calm) sizes_.clear();
  before_.keep(processes_, processes_read_s_);
  processes_read_s_ = now_s_;
  if (!read_processes(*setup_.proc, processes_, &kernel_threads_, {sizes_.data(), sizes_.size()})) return;
  sizes_.clear();
  for (const ProcessInfo& p : processes_)
    sizes_.push_back({p.pid, p.start_ticks, p.stat_rss_pages, p.rss_pages, p.shared_pages});
  seen_next_.clear();
  root_has_users_ = false;
  for (const ProcessInfo& process : processes_) {
    if (process.kernel_thread()) continue;
    const Seen seen = place(process, fresh);
    seen_next_.push_back(seen);
    const bool tree = (seen.unit & kTreeUnit) != 0;
    root_has_users_ = root_has_users_ || (tree && process.pid > 1);
    if (only_root && !tree) continue;
    Unit unit;
    unit.id = seen.unit;
    unit.top_pid = tree ? static_cast<int>(seen.unit & ~kTreeUnit) : process.pid;
    unit.top_start_ticks = process.start_ticks;
    if (const Cgroup* cgroup = tree ? nullptr : tree_.find(seen.unit))
      unit.path = cgroup->path;
    else
      unit.path = "/";
    UnitUse& use = uses_[slot(unit)];
    use.bytes += static_cast<double>(process.own_pages()) * setup_.page_bytes;
    use.cpu_s += static_cast<double>(process.cpu_ticks) / kTicksPerSecond;
    use.forks += 1;
  }
  seen_ = seen_next_;
}

Census::Most Census::most(const Unit& unit, Of what) const {
  Most most;
  const double seconds = before_.seconds_to(processes_read_s_);
  if (seconds <= 0 || seconds > kForgetS) return most;
  for (const Seen& seen : seen_) {
    const ProcessInfo* const process = seen.unit == unit.id ? find_process(processes_, seen.pid) : nullptr;
    if (process == nullptr) continue;
    const double amount = what == Of::memory ? before_.pages_grown(*process) * setup_.page_bytes
                                             : before_.cpu_ticks_used(*process) / kTicksPerSecond;
    if (amount / seconds > most.per_second) most = {process->pid, amount / seconds};
  }
  return most;
}

void Census::take(double now_s, const UnownedBytes& unowned, Handed& handed, Look look) {
  const bool fresh = look == Look::onset, calm = look == Look::calm;
  now_s_ = now_s;
  // Everybody in the root cgroup (an appliance): there is nothing to follow between walks but the processes.
  const bool flat = root_has_users_ && tree_.items.size() <= kFlatGroups;
  const bool walked = fresh || flat || by_processes() || now_s - walked_s_ >= (calm ? kWalkCalmS : kWalkS);
  if (walked)
    walk(now_s);
  else
    follow_units();
  if (by_processes()) {
    take_processes(fresh, false, calm);
    deal_unowned(unowned, handed, calm);
  } else if (walked && (root_has_users_ || fresh)) {
    take_processes(fresh, true, calm);
    if (root_has_users_) deal_unowned(unowned, handed, calm);
  }
}

}  // namespace hosa
