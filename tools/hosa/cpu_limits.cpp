#include "tools/hosa/cpu_limits.h"

#include <algorithm>

namespace hosa {
namespace {

// cpu.weight 1 of 100: beside one neighbour of default weight the culprit keeps 1 %, alone all of the CPU.
constexpr std::string_view kLowWeight = "1";
// At the beginning of each period the culprit runs for 2.5 ms ahead of everybody, whatever its weight (6.1: CFS places
// who comes back from throttling behind the current minimum); twice a second that was 1 % of a bystander's answers, so
// it is the longest period that there is (lab spin: p99 3.4-3.7 x healthy).
constexpr std::string_view kQuotaPeriod = " 1000000";
constexpr double kPeriodUs = 1000000;

// A storm is not allowed thousands more, however many ids are left: each costs 10-20 KB of kernel memory.
constexpr uint64_t kMostNewTasks = 64;

}  // namespace

bool CpuLimits::lower_weight(const HoldContext& c, const CpuEpisode& e) {
  watch(c, e);
  const auto done = apply_limit(c.journal, e.cgroup_ref(), CgroupFile::cpu_weight, kLowWeight, lease_ns());
  if (!done) return false;
  weight_.entry = done->entry;
  e.note(c, "act", "cpu.weight", done->old_value.view(), kLowWeight, done->written ? "ok" : "stricter already", true);
  return true;
}

void CpuLimits::set_quota(const HoldContext& c, const CpuEpisode& e) {
  ValueText quota;
  quota.append_unsigned(static_cast<uint64_t>(e.quota_per_s(c) * kPeriodUs)).append(kQuotaPeriod);
  const auto done = apply_limit(c.journal, e.cgroup_ref(), CgroupFile::cpu_max, quota.view(), lease_ns());
  if (done && done->written) quota_.entry = done->entry;
  e.note(c, "act", "cpu.max", done ? done->old_value.view() : std::string_view{}, quota.view(),
         done ? "ok" : errno_name(done.error().code).message, true);
}

void CpuLimits::limit_tasks(const HoldContext& c, CpuEpisode& e) {
  if (!e.controllable || c.shadow) return;
  watch(c, e);
  const CgroupUsage usage = e.meter.read();
  const auto limit = read_limit(e.cgroup, "pids.max");
  if (!usage.has_pids || !limit) return;
  const uint64_t machine_left = c.max_tasks > c.moment.tasks ? static_cast<uint64_t>(c.max_tasks - c.moment.tasks) : 0;
  const uint64_t own_left = *limit == UINT64_MAX ? machine_left : *limit - std::min(*limit, usage.pids);
  ValueText wanted;
  wanted.append_unsigned(usage.pids + std::min(std::min(own_left, machine_left) / 2, kMostNewTasks));
  const auto done = apply_limit(c.journal, e.cgroup_ref(), CgroupFile::pids_max, wanted.view(), lease_ns());
  if (done && done->written) tasks_.entry = done->entry, limited_s_ = c.moment.now_s;
  e.note(c, "act", "pids.max", done ? done->old_value.view() : std::string_view{}, wanted.view(),
         done ? "ok" : errno_name(done.error().code).message);
}

void CpuLimits::watch(const HoldContext& c, const CpuEpisode& e) {
  constexpr const char* kFiles[] = {"cpu.weight", "cpu.max", "pids.max"};
  c.limit_watch.add(e.cgroup, e.unit.path.view(), kFiles);
}

bool CpuLimits::ask_for_controller(const HoldContext& c, const CpuEpisode& e) {
  const auto request = make_request(KeeperTask::switch_on, e.unit.id, e.unit.path.view(), lease_ns(), "cpu");
  asked_id_ = c.keeper.ask_at_once(request).value_or(0u);
  return asked_id_ != 0;
}

void CpuLimits::answered(const HoldContext& c, const CpuEpisode& e, const KeeperAnswer& answer) {
  asked_id_ = 0;
  kept_s_ = 0;  // what stood in its files is written again at once
  watch(c, e);  // its files are new ones
  const char* const result = answer.error == 0 ? "ok" : errno_name(answer.error).message;
  e.note(c, "act", "cgroup.subtree_control", "", "+cpu", result);
}

void CpuLimits::keep(const HoldContext& c, const CpuEpisode& e) {
  const double now_s = c.moment.now_s;
  if (c.shadow || e.holding.level() == 0 || asked_id_ != 0) return;
  if (!c.limits_touched && now_s - kept_s_ < pace_s(now_s)) return;
  kept_s_ = now_s;
  bool controller_lost = false;
  for (File* limit : {&weight_, &quota_, &tasks_}) {
    const auto entry = c.journal.read(limit->entry);
    if (!entry) continue;
    const char* const file = file_name(entry->file);
    switch (keep_limit(c.journal, limit->entry, e.cgroup, limit->rewrites)) {
      case Kept::written_again:
        lost_s_ = now_s;
        e.note(c, "act", file, entry->old_value.view(), entry->ours.view(), "written again");
        break;
      case Kept::somebodys:
        limit->entry = -1;
        e.note(c, "changed", file, entry->ours.view(), "", "somebody else's value: left");
        break;
      case Kept::absent: controller_lost = limit != &tasks_; break;
      case Kept::ours:
      case Kept::given_up: break;
    }
  }
  if (!controller_lost || switched_again_ >= kMostRewrites) return;
  lost_s_ = now_s;
  ++switched_again_;
  (void)ask_for_controller(c, e);
}

void CpuLimits::give_back(const HoldContext& c, const CpuEpisode& e, File& file) {
  if (file.entry < 0) return;
  const auto was = c.journal.read(file.entry);
  const Undone outcome = undo_entry(c.journal, file.entry, c.roots);
  if (was) e.note(c, "given_back", file_name(was->file), was->ours.view(), was->old_value.view(), undone_name(outcome));
  file.entry = -1;
}

void CpuLimits::drop(const HoldContext& c, const CpuEpisode& e) {
  give_back(c, e, weight_);
  give_back(c, e, tasks_);
}

}  // namespace hosa
