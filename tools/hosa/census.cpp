#include "tools/hosa/census.h"
#include "proprioception/turn.h"

#include <time.h>

#include <algorithm>

#include "loader/sys/text.h"
#include "proprioception/directory.h"
#include "tools/hosa/senses.h"

namespace hosa {
namespace {

constexpr double kWalkS = 1, kWalkCalmS = 30;  // how often new cgroups are looked for, suspicious and calm
constexpr std::size_t kFlatGroups = 2;         // the root, and a hold room
constexpr double kLittle = 1024 * 1024;        // bytes
constexpr double kMoved = 64 * 1024;           // bytes
constexpr unsigned kForgetPasses = 64;         // known kernel threads are read again: pids are used again
constexpr double kFirstWaitS = 0.1, kLastWaitS = 20;
constexpr double kForgetS = 60;          // what a process had used so long ago says nothing of now
constexpr double kTicksPerSecond = 100;  // USER_HZ, all ports
constexpr std::size_t kCrowd = 64;
constexpr double kAgePerMemberS = 0.002;

bool contains(const PidList& pids, int pid) {
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// The table is ascending by pid (handed.h).
const ProcessShare* find_handed(std::span<const ProcessShare> handed, int pid) {
  const auto at = std::lower_bound(handed.begin(), handed.end(), static_cast<uint32_t>(pid),
                                   [](const ProcessShare& usage, uint32_t wanted) { return usage.tgid < wanted; });
  return at != handed.end() && at->tgid == static_cast<uint32_t>(pid) ? &*at : nullptr;
}

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
  Seen seen{process.pid, process.start_ticks, 0, 0, known ? 5 * at->wait_s : kFirstWaitS};
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

// What each unit was handed since the last time, of one kind. Who has gone already counts under its cgroup, else as
// nobody (unit 0).
void Census::list_takers(std::span<const ProcessShare> handed, __u64 hosa_usage::*kind, Takers& takers) const {
  takers.clear();
  for (const ProcessShare& usage : handed) {
    const ProcessShare* before =
        find_handed({handed_before_.data(), handed_before_.size()}, static_cast<int>(usage.tgid));
    const uint64_t amount = usage.usage.*kind, base = before != nullptr ? before->usage.*kind : 0;
    if (usage.tgid == 0 || amount == base) continue;
    const auto bytes = static_cast<double>(amount > base ? amount - base : amount);  // less: dropped, and came back
    uint64_t unit = unit_of_pid(static_cast<int>(usage.tgid));
    if (unit == 0 && tree_.find(usage.usage.cgroup) != nullptr) unit = usage.usage.cgroup;
    const auto at =
        std::find_if(takers.begin(), takers.end(), [unit](const UnitBytes& taker) { return taker.unit == unit; });
    if (at != takers.end())
      at->bytes += bytes;
    else
      takers.push_back({unit, bytes});
  }
}

// A cgroup with memory files has counted its own already; who lives in the root cgroup has none (an appliance's
// everybody: a file growing in tmpfs was nobody's there until memory ran out).
void Census::add_given(const UnownedGrowth& growth, double UnitUse::*kind) {
  for (const UnitBytes& given : growth.given()) {
    if (!by_processes() && (given.unit & kTreeUnit) == 0) continue;
    for (UnitUse& use : uses_) {
      if (use.unit != given.unit) continue;
      use.bytes += given.bytes;
      use.*kind += given.bytes;
    }
  }
}

void Census::deal_unowned(const UnownedBytes& bytes, Handed& handed, bool calm) {
  static Takers takers;
  // When calm the table (0.1 ms) is read once there is something to deal.
  const auto moved = [](double now, double then) { return now > then + kLittle || now < then - kLittle; };
  const bool little = !moved(bytes.shared, dealt_.shared) && !moved(bytes.kernel, dealt_.kernel);
  if (!calm || !little) deal_anew(bytes, handed, takers);
  add_given(shared_growth_, &UnitUse::shared_bytes);
  add_given(kernel_growth_, &UnitUse::kernel_bytes);
}

void Census::deal_anew(const UnownedBytes& bytes, Handed& handed, Takers& takers) {
  dealt_ = bytes;
  const std::span<const ProcessShare> table = handed.now(now_s_);
  if (handed.read_s() != handed_read_s_) {
    handed_read_s_ = handed.read_s();
    list_takers(table, &hosa_usage::shared_bytes, takers);
    shared_growth_.step(bytes.shared, {takers.data(), takers.size()});
    list_takers(table, &hosa_usage::kernel_bytes, takers);
    kernel_growth_.step(bytes.kernel, {takers.data(), takers.size()});
    handed_before_.clear();
    for (const ProcessShare& usage : table) handed_before_.push_back(usage);
  }
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
  if (!seen_.push_back({process.pid, process.start_ticks, unit.id, now_s_ + kFirstWaitS, kFirstWaitS})) return false;
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
}

// Five hundred processes of a storm of forks are 0.2 s of a 125 MIPS board and 0.4 s with the rests between them: a
// hold of its CPU and one of its memory that each looked at every tick had the loop take 3 s (lab forks on the
// appliance).
double Census::glance(const Unit& unit, Members& out) {
  const double now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  const bool crowd = crowd_unit_ == unit.id && crowd_.size() >= kCrowd;
  if (!crowd || now_s - crowd_read_s_ > static_cast<double>(crowd_.size()) * kAgePerMemberS) {
    members(unit, {}, crowd_);
    crowd_unit_ = unit.id;
    crowd_read_s_ = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  }
  out = crowd_;
  return crowd_read_s_;
}

}  // namespace hosa
