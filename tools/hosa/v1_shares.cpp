#include "tools/hosa/v1_shares.h"

#include <sys/stat.h>

#include <algorithm>

#include "actuate/limit.h"
#include "actuate/process_hold.h"
#include "loader/sys/file.h"
#include "proprioception/process_status.h"

namespace hosa {
namespace {

constexpr double kLookS = 0.5, kLookPerProcessS = 0.005;
constexpr std::size_t kTries = 8;
constexpr unsigned kNoneBelow = 2;  // links of a directory of kernfs: its own two, and one of each cgroup below it

}  // namespace

Inside look_inside(const Fd& cgroup, const Fd& proc, std::span<const int> held, uint64_t born_ticks) {
  struct stat about {};
  if (::fstat(cgroup.get(), &about) != 0 || about.st_nlink != kNoneBelow) return {};
  static PidList inside;
  inside.clear();
  if (!read_procs(cgroup, inside) || inside.empty()) return {};
  const bool only_held = std::all_of(inside.begin(), inside.end(), [&](int pid) {
    if (std::binary_search(held.begin(), held.end(), pid)) return true;
    if (is_idle(scheduling_policy(pid))) return true;  // an heir; of a storm's thousand nearly all
    const auto process = read_process_stat(proc, pid);
    return !process || process->start_ticks >= born_ticks;
  });
  return {only_held, inside.size()};
}

bool V1Shares::open_of(const HoldContext& c, int pid) {
  char buffer[4096];
  const auto text = read_file(c.proc.get(), process_path(pid, "cgroup").c_str(), buffer);
  const std::string_view path = text ? v1_cpu_path(*text) : std::string_view{};
  if (path.size() < 2 || path.find("/..") != std::string_view::npos) return false;  // the root has no shares
  path_ = path;
  if (path_.cut()) return false;
  auto cgroup = open_directory(c.roots.cpu_v1->get(), path_.c_str() + 1);
  if (cgroup) cgroup_ = std::move(*cgroup);
  return cgroup.has_value();
}

// Of a storm many have ended since they were held.
bool V1Shares::open_of_any(const HoldContext& c, std::span<const int> held) {
  const auto last = held.last(std::min(held.size(), kTries));
  return std::any_of(last.rbegin(), last.rend(), [&](int pid) { return open_of(c, pid); });
}

V1Shares::Change V1Shares::restore(const HoldContext& c) {
  cgroup_.reset();
  if (entry_ < 0) return Change::none;
  undone_ = undo_entry(c.journal, entry_, c.roots);
  entry_ = -1;
  return Change::given_back;
}

V1Shares::Change V1Shares::step(const HoldContext& c, std::span<const int> held, uint64_t born_ticks) {
  if (c.shadow || c.roots.cpu_v1 == nullptr || held.empty() || c.moment.now_s - looked_s_ < pace_s_)
    return Change::none;
  looked_s_ = c.moment.now_s;
  if (entry_ < 0 && !open_of_any(c, held)) return Change::none;
  const Inside inside = look_inside(cgroup_, c.proc, held, born_ticks);
  pace_s_ = kLookS + kLookPerProcessS * static_cast<double>(inside.members);
  if (entry_ >= 0) {
    if (!inside.only_held) return restore(c);
    if (keep_limit(c.journal, entry_, cgroup_, rewrites_) != Kept::somebodys) return Change::none;
    entry_ = -1;
    return Change::somebodys;
  }
  const auto id = cgroup_id(cgroup_);
  if (!inside.only_held || !id) return Change::none;
  const auto done = apply_limit(c.journal, {&cgroup_, *id, path_.view()}, CgroupFile::cpu_shares, kLowest, lease_ns());
  if (!done || !done->written) return Change::none;
  entry_ = done->entry;
  old_value_ = done->old_value;
  return Change::lowered;
}

}  // namespace hosa
