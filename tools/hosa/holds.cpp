// Everybody who is held: how a hold begins, is carried on at each wake-up, and ends.
#include <time.h>

#include <algorithm>

#include "actuate/undo.h"
#include "tools/hosa/agent.h"

namespace hosa {

HoldContext Agent::context() {
  HoldContext c{*moment_, senses_.vector(), census_,          handed_,      *journal_, *keeper_,     roots_,
                audit_,   guard_,           senses_.kernel(), known_sizes_, proc_,     limit_watch_, crowds_ready_};
  c.shadow = !acting_allowed();
  c.memory_controller = memory_controller_;
  c.room_option = options_.room_bytes;
  c.page_bytes = static_cast<double>(machine_.page_bytes);
  c.held_units = 0;
  for (const MemoryHold& hold : memory_holds_) c.held_units += hold.level() > 0 ? 1 : 0;
  c.held_units = std::max(1, c.held_units);
  c.ceiling = config_.ceiling;
  c.machine_settings = acting_allowed() && config_.ceiling >= 3 && !scope_.limited();
  c.online_cpus = std::max(1u, machine_.online_cpus);
  c.max_tasks = static_cast<double>(machine_.max_tasks);
  return c;
}

int Agent::active_holds() const {
  int count = 0;
  for (const MemoryHold& hold : memory_holds_) count += hold.level() > 0 ? 1 : 0;
  for (const CpuHold& hold : cpu_holds_) count += hold.level() > 0 ? 1 : 0;
  return count;
}

bool Agent::acts_in_force() const {
  for (const MemoryHold& hold : memory_holds_) {
    if (hold.level() >= 3) return true;
  }
  for (const CpuHold& hold : cpu_holds_) {
    if (hold.level() >= 2) return true;
  }
  return false;
}

bool Agent::may_hold(const Finding& finding, const char* resource) {
  const Unit* unit = census_.find(finding.unit);
  if (unit == nullptr || moment_->now_s < respite_until_s_) return false;
  if (!scope_.allows(*unit, census_, guard_.names())) return false;
  if (unit->is_tree()) {
    const auto process = read_process(proc_, unit->top_pid);
    if (process && !guard_.reason(*process, "/").empty()) return false;
  }
  if (active_holds() < config_.max_contained) return true;
  note("refused", "what", resource);
  return false;
}

void Agent::hold_memory(const Finding& finding) {
  const HoldContext c = context();
  const Cause cause = memory_suspicion_.cause();
  const double now_s = moment_->now_s;
  const auto drains = [&](const CpuHold& h) { return h.unit().id == finding.unit && h.just_limited(now_s); };
  if (std::any_of(cpu_holds_.begin(), cpu_holds_.end(), drains)) return;
  MemoryHold* vacant = nullptr;
  for (MemoryHold& hold : memory_holds_) {
    if (hold.stage() == Stage::done)
      vacant = vacant == nullptr ? &hold : vacant;
    else if (hold.unit().id == finding.unit) {
      if (hold.stage() == Stage::watching && now_s >= respite_until_s_) hold.again(c, finding, cause), ++insured_;
      return;
    }
  }
  const Unit* unit = census_.find(finding.unit);
  if (vacant == nullptr || unit == nullptr || !may_hold(finding, "memory: as many as allowed are held")) return;
  *vacant = MemoryHold{};
  vacant->set_quota_slot(static_cast<std::size_t>(vacant - memory_holds_.data()));
  journal_->set_acting(true);
  if (vacant->begin(c, *unit, finding, cause)) ++insured_;
}

void Agent::hold_cpu(const Finding& finding, Carrier carrier, Cause cause) {
  const HoldContext c = context();
  const double now_s = moment_->now_s;
  CpuHold* vacant = nullptr;
  for (CpuHold& hold : cpu_holds_) {
    if (hold.stage() == CpuStage::done)
      vacant = vacant == nullptr ? &hold : vacant;
    else if (hold.unit().id == finding.unit) {
      if (hold.stage() == CpuStage::watching && now_s >= respite_until_s_) hold.again(c, finding), ++acts_;
      if (hold.level() > 0 && carrier == Carrier::tasks) hold.storms(c, finding);
      return;
    }
  }
  const Unit* unit = census_.find(finding.unit);
  if (vacant == nullptr || unit == nullptr || !may_hold(finding, "cpu: as many as allowed are held")) return;
  *vacant = CpuHold{};
  journal_->set_acting(true);
  if (vacant->begin(c, *unit, finding, cause, carrier)) ++acts_;
}

void Agent::forget_holds() {
  const double now_s = moment_ != nullptr ? moment_->now_s : 0;
  crowds_ready_ = 0;
  for (MemoryHold& hold : memory_holds_) hold.forget_everything(now_s);
  for (CpuHold& hold : cpu_holds_) hold.forget_everything(now_s);
  settings_lowered_ = false;
  setting_entries_.fill(std::nullopt);
}

// The keeper gave everything back while this process stood still (stopped, frozen, stuck): nothing is ours any more.
void Agent::notice_give_back() {
  if (!journal_->gave_back()) return;
  accept_give_back(*journal_, roots_);
  forget_holds();
  note("keeper", "what", "this process stood still for 2 s; the keeper gave everything back");
}

// From where a bucket is likely on.
void Agent::lower_kernel_settings(const HoldContext& c) {
  bool bucket = false, likely = false;
  for (const MemoryHold& hold : memory_holds_) {
    bucket = bucket || hold.level() >= 3;
    likely = likely || hold.likely_held();
  }
  const bool wanted = (bucket || likely) && c.machine_settings;
  if (wanted == settings_lowered_) return;
  settings_lowered_ = wanted;
  for (std::size_t i = 0; i < kKernelSettings.size(); ++i) {
    std::optional<int>& entry = setting_entries_[i];
    if (wanted) entry = lower(kKernelSettings[i], *journal_, lease_ns());
    if (!wanted && entry) (void)undo_entry(*journal_, *entry, roots_);
    if (entry) note(!wanted ? "given_back" : bucket ? "act" : "insured", "what", kKernelSettings[i].what);
    if (!wanted) entry.reset();
  }
}

// Whose tree or cgroup is held: when its first process ends, the loop looks at once.
void Agent::watch_held() {
  KernelSide& kernel = senses_.kernel();
  const auto pid = [](bool held, const Unit& unit) { return held ? static_cast<uint32_t>(unit.top_pid) : 0; };
  for (std::size_t i = 0; i < kMostHolds; ++i) {
    kernel.watch_exit(i, pid(memory_holds_[i].level() > 0, memory_holds_[i].unit()));
    kernel.watch_exit(kMostHolds + i, pid(cpu_holds_[i].level() > 0, cpu_holds_[i].unit()));
  }
}

void Agent::step_holds() {
  HoldContext c = context();
  c.limits_touched = limit_watch_.take();
  for (MemoryHold& hold : memory_holds_) {
    const int before = hold.level();
    hold.step(c);
    if (before < 3 && hold.level() >= 3) ++acts_;
  }
  for (CpuHold& hold : cpu_holds_) hold.step(c);
  watch_held();
  lower_kernel_settings(c);
  // Two of the held may need the same controller: it goes off when nobody is held, however late it was switched on.
  const bool held = active_holds() > 0;
  if (!held && journal_->held_count() > 0) (void)undo_kind(*journal_, EntryKind::controller, roots_);
  if (!held) limit_watch_.clear();
  const bool acting = held || journal_->held_count() > 0;
  journal_->set_acting(acting);
  if (!acting || c.moment.now_s - leased_s_ < 1) return;
  leased_s_ = c.moment.now_s;
  const uint64_t deadline_ns = lease_ns();
  for (int i = 0; i < Journal::capacity(); ++i) {
    if (journal_->state(i) == EntryState::armed) journal_->renew(i, deadline_ns);
  }
}

void Agent::release_all(const char* why) {
  const HoldContext c = context();
  for (MemoryHold& hold : memory_holds_) hold.release(c, why);
  for (CpuHold& hold : cpu_holds_) hold.release(c, why);
}

}  // namespace hosa
