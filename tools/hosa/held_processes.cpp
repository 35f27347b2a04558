#include "tools/hosa/held_processes.h"

#include "actuate/undo.h"
#include "proprioception/turn.h"

namespace hosa {

void HeldProcesses::clear() {
  all_.clear();
  unprepared_.clear();
  gone_.clear();
  limits_ = FreezeLimits{};
  has_cpu_ = idled_ = false;
}

void HeldProcesses::give_cpu(const HoldContext& c, const Fd& cgroup) {
  if (has_cpu_) return;
  has_cpu_ = true;
  (void)undo_processes(c.journal, c.roots, all(), cgroup);
  unprepared_ = all_;
}

FreezeLimits HeldProcesses::limits() const {
  FreezeLimits limits = limits_;
  limits.crowd = is_crowd();
  return limits;
}

void HeldProcesses::heed_watchdog(const HoldContext& c, int pid) {
  const auto watchdog = read_watchdog_usec(*c.roots.proc, pid);
  if (watchdog && *watchdog > 0) shorten_freezes(static_cast<double>(*watchdog) * 1e-6 / 4);
}

bool HeldProcesses::add(const ProcessRef& process) {
  if (!all_.push_back(process)) return false;
  (void)unprepared_.push_back(process);
  return true;
}

// The right victim, should it come to the OOM killer; and no claim to the CPU for the time it was frozen: thawed, a
// paced process catches up at full speed, and its neighbours waited 4-8 ms at each thaw (6.1, one CPU). It takes 3-5 ms
// a process there, so it is done while they are frozen; and what is read of a watchdog (0.3 ms each), too.
void HeldProcesses::prepare(const HoldContext& c, const Members& members) {
  if (idled_ && unprepared_.empty() && !is_idled(c.journal, all_[all_.size() - 1])) unprepared_ = all_;
  for (const ProcessRef& process : unprepared_) {
    heed_watchdog(c, process.pid);
    let_others_run();
    (void)offer_to_oom(c.journal, *c.roots.proc, process, lease_ns());
    let_others_run();
    (void)idle_threads(c.journal, *c.roots.proc, process, lease_ns());
    const auto now = read_process(*c.roots.proc, process.pid);
    if (now && owns_session(*c.roots.proc, now->session, members, all()))
      (void)lower_autogroup(c.journal, *c.roots.proc, process, lease_ns());
  }
  unprepared_.clear();
  has_cpu_ = false;
  idled_ = all_.size() > 0 && is_idled(c.journal, all_[all_.size() - 1]);
  for (const ProcessRef& process : gone_) c.journal.forget_process(process.pid, process.start_ticks);
  gone_.clear();
}

// Who has gone is forgotten once its heirs are prepared, because its entries tell what they had before us. The first
// one's entries stay to the end: in a relay everybody else of the start may have gone.
void HeldProcesses::adopt(const HoldContext& c, const PidList& inside) {
  std::size_t kept = 0;
  for (const ProcessRef& process : all_) {
    const auto now = read_process(*c.roots.proc, process.pid);
    if (kept == 0 || (now && now->start_ticks == process.start_ticks) || !gone_.push_back(process))
      all_[kept++] = process;
  }
  all_.resize_down(kept);
  for (const int pid : inside) {
    if (contains(pid)) continue;
    const auto process = read_process(*c.roots.proc, pid);
    if (process && all_.push_back({pid, process->start_ticks})) (void)unprepared_.push_back(all_.back());
  }
}

}  // namespace hosa
