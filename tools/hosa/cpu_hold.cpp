#include "tools/hosa/cpu_hold.h"

#include <algorithm>
#include <utility>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/pressure.h"

namespace hosa {
namespace {

constexpr double kSeenS = 0.9;  // who is held is summed up once a second (cpu_holding.cpp)

// pids.events: "max N", how often a fork was refused here.
uint64_t read_refused_forks(const Fd& cgroup) {
  char buffer[128];
  const auto text = read_file(cgroup.get(), "pids.events", buffer);
  if (!text) return 0;
  std::string_view rest = *text;
  return take_word(rest) == "max" ? to_number(trim(rest)).value_or(0) : 0;
}

}  // namespace

void CpuHold::observe_cgroup(CpuObservation& o) {
  const CgroupUsage usage = e_.meter.read();
  o.cpu_s = static_cast<double>(usage.cpu_usec) * 1e-6;
  o.throttled = usage.nr_throttled;
  char pressure[256];
  const auto text = read_file(e_.cgroup.get(), "cpu.pressure", pressure);
  const auto waited_us = text ? parse_pressure(*text).some_us : std::nullopt;
  if (limits_.tasks_limited()) o.refused = read_refused_forks(e_.cgroup);
  if (waited_us) o.own_waiting_s = static_cast<double>(*waited_us) * 1e-6;
  const auto state = read_cgroup_state(e_.cgroup);
  o.gone = !state || !state->populated;
}

CpuObservation CpuHold::observe(const HoldContext& c) {
  CpuObservation o;
  o.now_s = o.read_s = c.moment.now_s;
  o.waiting_share = c.moment.waiting_share;
  o.has_quota = e_.means == CpuMeans::weight && c.ceiling >= 3;
  o.quota_per_s = e_.quota_per_s(c);
  if (e_.cgroup && !e_.unit.is_tree()) {
    observe_cgroup(o);
    return o;
  }
  if (begun_cpu_s_ >= 0) {  // at its begin the last census says it: a storm is slowed before it is looked at
    o.cpu_s = std::exchange(begun_cpu_s_, -1);
    return o;
  }
  if (o.now_s - passes_.seen_s() >= std::max(kSeenS, passes_.pace_s(e_, o.now_s))) passes_.see(c, e_);
  o.read_s = passes_.seen_s();
  for (const Member& member : passes_.members()) o.cpu_s += member.cpu_s;
  o.gone = passes_.members().empty();
  return o;
}

bool CpuHold::begin(const HoldContext& c, const Unit& unit, const Finding& finding, Cause cause, Carrier carrier) {
  e_.unit = unit;
  e_.finding = finding;
  e_.cause = cause;
  e_.carrier = carrier;
  if (c.roots.cgroup != nullptr && !unit.is_tree()) {
    auto cgroup = open_cgroup(*c.roots.cgroup, unit.path.view(), unit.id);
    if (!cgroup) return false;
    e_.cgroup = std::move(*cgroup);
    e_.meter = CgroupMeter::open(e_.cgroup);
    e_.controllable = c.guard.reason_for_cgroup(e_.cgroup, unit.path.view()).empty();
  }
  passes_.begin(static_cast<uint64_t>(c.moment.boot_s * kTicksPerSecond));
  if (const UnitUse* use = c.census.use_of(unit.id); use != nullptr && unit.is_tree()) begun_cpu_s_ = use->cpu_s;
  e_.note(c, "culprit", "name", "", "", "named", true);
  again(c, finding);
  return true;
}

void CpuHold::again(const HoldContext& c, const Finding& finding) {
  e_.finding = finding;
  // Summed over processes CPU time has steps of 10 ms: over the onset's half second that once made 3.08 CPUs of one
  // (lab spin on the appliance), half of which nobody uses, so that the spinner seemed to have stopped.
  const double most = static_cast<double>(c.online_cpus);
  const double onset_rate = e_.carrier == Carrier::cpu ? std::min(finding.growth_per_s, most) : 0.2;
  carry_out(c, e_.holding.hold(observe(c), onset_rate));
  if (e_.carrier == Carrier::tasks) limits_.limit_tasks(c, e_);
}

void CpuHold::storms(const HoldContext& c, const Finding& finding) {
  if (e_.carrier == Carrier::tasks && limits_.tasks_limited()) return;
  e_.carrier = Carrier::tasks;
  e_.finding = finding;
  passes_.storms();
  limits_.limit_tasks(c, e_);
}

void CpuHold::lower_weight(const HoldContext& c) {
  if (c.shadow) return e_.note(c, "act", "cpu.weight", "", "1", "shadow", true);
  if (!e_.controllable) return use_idle(c);
  if (read_value(e_.cgroup, CgroupFile::cpu_weight)) return use_weight(c);
  if (!limits_.ask_for_controller(c, e_)) return use_idle(c);
  e_.means = CpuMeans::asked;
}

void CpuHold::on_answer(const HoldContext& c, const KeeperAnswer& answer) {
  if (!limits_.asked(answer.id)) return;
  limits_.answered(c, e_, answer);
  if (level() == 0 || e_.means != CpuMeans::asked) return;  // or it was asked for again: keep() writes the values
  if (answer.error == 0 && read_value(e_.cgroup, CgroupFile::cpu_weight))
    use_weight(c);
  else
    use_idle(c);
}

void CpuHold::use_weight(const HoldContext& c) {
  e_.means = CpuMeans::weight;
  if (!limits_.lower_weight(c, e_)) use_idle(c);
}

void CpuHold::use_idle(const HoldContext& c) {
  e_.means = CpuMeans::idle;
  passes_.start(c, e_);
  FixedString<32> threads;
  threads.append_number(e_.idled).append(" threads");
  if (e_.covered) return e_.note(c, "act", "autogroup", "", "19", "ok", true);
  if (e_.idled > 0) return e_.note(c, "act", "SCHED_IDLE", "SCHED_OTHER", threads.view(), "ok", true);
  // PID 1, which has much to do while a package is installed: nothing is done to it.
  e_.means = CpuMeans::none;
  (void)e_.holding.release(c.moment.now_s);
  e_.note(c, "refused", "SCHED_IDLE", "", "", "nobody in it may be held", true);
}

void CpuHold::carry_out(const HoldContext& c, const CpuOrders& orders) {
  if (orders.lower_weight) lower_weight(c);
  if (orders.set_quota && !c.shadow) limits_.set_quota(c, e_);
  if (orders.drop_quota) limits_.drop_quota(c, e_);
  if (!orders.restore_weight) return;
  limits_.drop(c, e_);
  if (e_.means == CpuMeans::idle) passes_.give_back(c, e_);
  e_.means = CpuMeans::none;
}

void CpuHold::step(const HoldContext& c) {
  if (stage() == CpuStage::done) return;
  carry_out(c, e_.holding.step(observe(c)));
  limits_.keep(c, e_);
  if (e_.means == CpuMeans::idle && level() > 0 && !c.shadow) passes_.pass(c, e_);
  if (stage() != CpuStage::done) return;
  e_.cgroup.reset();
  e_.meter = CgroupMeter{};
}

void CpuHold::release(const HoldContext& c, const char* why) {
  if (level() == 0) return;
  carry_out(c, e_.holding.release(c.moment.now_s));
  e_.note(c, "given_back", "all", "", "", why);
}

void CpuHold::forget_everything(double now_s) {
  if (level() > 0) (void)e_.holding.release(now_s);  // a vacant one stays vacant
  e_.means = CpuMeans::none;
  e_.covered = false;
  passes_.forget();
  limits_.forget();
}

}  // namespace hosa
