#include "tools/hosa/cpu_hold.h"

#include <algorithm>
#include <utility>

#include "actuate/autogroup.h"
#include "actuate/limit.h"
#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/pressure.h"
#include "proprioception/turn.h"

namespace hosa {
namespace {

constexpr double kKeepS = 1.0;
constexpr double kSeenS = 0.9;       // who is held is summed up once a second (cpu_holding.cpp)
constexpr double kIdlePassS = 0.05;  // findings 3: a storm of forks is held by a pass each 50 ms
// cpu.weight 1 of 100: beside one neighbour of default weight the culprit keeps 1 %, alone all of the CPU.
// Among many a pass finds little that is new, and 500 take 0.4 s to look at on a 125 MIPS board.
constexpr double kPassPerMemberS = 0.005, kLongestPaceS = 2;
constexpr double kCoveredPassS = 0.5;  // who leaves a session that is slowed as a whole is found within so long
// A child whose parent was made idle in the middle of its fork() is not idle, and nobody is in its way: of 134 forkers
// a few were left, and they were hundreds when the next pass came 0.7 s later.
constexpr double kSettleS = 0.5;
constexpr std::size_t kLookedAtAgain = 16;
constexpr int kStorm = 8;  // so many found in a round: there will be more
constexpr uint64_t kLongestPassNs = 500'000'000;
constexpr uint64_t kStormTicks = 300;  // who is younger than 3 s when the hold begins was born of the storm
constexpr std::string_view kLowWeight = "1";
// At the beginning of each period the culprit runs for 2.5 ms ahead of everybody, whatever its weight (6.1: CFS places
// who comes back from throttling behind the current minimum); twice a second that was 1 % of a bystander's answers, so
// it is the longest period that there is (lab spin: p99 3.4-3.7 x healthy).
constexpr std::string_view kQuotaPeriod = " 1000000";
constexpr double kTicksPerSecond = 100;  // USER_HZ: what start times in /proc count in
constexpr double kPeriodUs = 1000000;
constexpr double kQuotaPerCpu = 0.3;  // of each CPU, as the CPU bucket of holding.md 3
// But what it used before the onset, and half more, it keeps: with a quarter more its ordinary work was throttled now
// and then, used 85 % of the quota, and seemed to push for ever (lab forks on pi5).
constexpr double kUsualRoom = 1.5;

// A storm is not allowed thousands more, however many ids are left: each costs 10-20 KB of kernel memory.
constexpr uint64_t kMostNewTasks = 64;

// pids.events: "max N", how often a fork was refused here.
uint64_t read_refused_forks(const Fd& cgroup) {
  char buffer[128];
  const auto text = read_file(cgroup.get(), "pids.events", buffer);
  if (!text) return 0;
  std::string_view rest = *text;
  return take_word(rest) == "max" ? to_number(trim(rest)).value_or(0) : 0;
}

}  // namespace

void CpuHold::describe(JsonLine& line) const {
  constexpr const char* kStages[] = {"weight", "quota", "watching", "done"};
  constexpr const char* kMeans[] = {"none", "asked", "cpu.weight", "SCHED_IDLE"};
  line.open("culprit", '{');
  line.text("cgroup", unit_.path.view()).integer("pid", unit_.top_pid).integer("unit", static_cast<int64_t>(unit_.id));
  line.text("resource", carrier_name(carrier_));
  line.number("share", finding_.share).number("runner_up", finding_.runner_up_share).close('}');
  const char* const means = covered_ ? "autogroup" : kMeans[static_cast<int>(means_)];
  line.text("stage", kStages[static_cast<int>(holding_.stage())]).text("means", means);
  line.integer("threads_idled", idled_);
}

void CpuHold::note(const HoldContext& c, const char* event, const char* action, std::string_view old_value,
                   std::string_view new_value, const char* result, bool explained) {
  JsonLine line = c.audit.line(event, holding_.level());
  line.text("action", action).text("target", unit_.path.view()).text("old", old_value).text("new", new_value);
  line.text("result", result);
  describe(line);
  if (explained) {
    line.text("cause", cause_name(cause_)).number("growth", finding_.growth);
    line.number("growth_per_s", finding_.growth_per_s);
    Audit::explain(line, c.moment, c.vector);
  }
  c.audit.write(line);
}

double CpuHold::quota_per_s(const HoldContext& c) const {
  return std::max(kQuotaPerCpu * c.online_cpus, kUsualRoom * finding_.usual_cpu_per_s);
}

CpuObservation CpuHold::observe(const HoldContext& c) {
  CpuObservation o;
  o.now_s = o.read_s = c.moment.now_s;
  o.waiting_share = c.moment.waiting_share;
  o.has_quota = means_ == Means::weight && c.ceiling >= 3;
  o.quota_per_s = quota_per_s(c);
  if (cgroup_ && !unit_.is_tree()) {
    const CgroupUsage usage = meter_.read();
    o.cpu_s = static_cast<double>(usage.cpu_usec) * 1e-6;
    o.throttled = usage.nr_throttled;
    char pressure[256];
    const auto text = read_file(cgroup_.get(), "cpu.pressure", pressure);
    const auto waited_us = text ? parse_pressure(*text).some_us : std::nullopt;
    if (pids_entry_ >= 0) o.refused = read_refused_forks(cgroup_);
    if (waited_us) o.own_waiting_s = static_cast<double>(*waited_us) * 1e-6;
    const auto state = read_cgroup_state(cgroup_);
    o.gone = !state || !state->populated;
    return o;
  }
  if (begun_cpu_s_ >= 0) {  // at its begin the last census says it: a storm is slowed before it is looked at
    o.cpu_s = std::exchange(begun_cpu_s_, -1);
    return o;
  }
  if (o.now_s - seen_s_ >= std::max(kSeenS, pass_pace_s(o.now_s))) see_members(c);
  o.read_s = seen_s_;
  for (const Member& member : members_) o.cpu_s += member.cpu_s;
  o.gone = members_.empty();
  return o;
}

void CpuHold::see_members(const HoldContext& c) {
  seen_s_ = c.census.glance(unit_, members_);
}

bool CpuHold::begin(const HoldContext& c, const Unit& unit, const Finding& finding, Cause cause, Carrier carrier) {
  unit_ = unit;
  finding_ = finding;
  cause_ = cause;
  carrier_ = carrier;
  if (c.roots.cgroup != nullptr && !unit.is_tree()) {
    auto cgroup = open_cgroup(*c.roots.cgroup, unit.path.view(), unit.id);
    if (!cgroup) return false;
    cgroup_ = std::move(*cgroup);
    meter_ = CgroupMeter::open(cgroup_);
    controllable_ = c.guard.reason_for_cgroup(cgroup_, unit.path.view()).empty();
  }
  begun_ticks_ = static_cast<uint64_t>(c.moment.boot_s * kTicksPerSecond);
  names_.begin(begun_ticks_ - std::min(begun_ticks_, kStormTicks));
  if (const UnitUse* use = c.census.use_of(unit.id); use != nullptr && unit.is_tree()) begun_cpu_s_ = use->cpu_s;
  note(c, "culprit", "name", "", "", "named", true);
  again(c, finding);
  return true;
}

void CpuHold::again(const HoldContext& c, const Finding& finding) {
  finding_ = finding;
  // Summed over processes CPU time has steps of 10 ms: over the onset's half second that once made 3.08 CPUs of one
  // (lab spin on the appliance), half of which nobody uses, so that the spinner seemed to have stopped.
  const double most = static_cast<double>(c.online_cpus);
  const double onset_rate = carrier_ == Carrier::cpu ? std::min(finding.growth_per_s, most) : 0.2;
  carry_out(c, holding_.hold(observe(c), onset_rate));
  if (carrier_ == Carrier::tasks) limit_tasks(c);
}

void CpuHold::storms(const HoldContext& c, const Finding& finding) {
  if (carrier_ == Carrier::tasks && pids_entry_ >= 0) return;
  carrier_ = Carrier::tasks;
  finding_ = finding;
  storming_ = true;
  limit_tasks(c);
}

void CpuHold::lower_weight(const HoldContext& c) {
  if (c.shadow) return note(c, "act", "cpu.weight", "", kLowWeight, "shadow", true);
  if (!controllable_) return use_idle(c);
  if (read_value(cgroup_, CgroupFile::cpu_weight)) return use_weight(c);
  ask_for_controller(c);
  if (asked_id_ == 0) return use_idle(c);
  means_ = Means::asked;
}

void CpuHold::ask_for_controller(const HoldContext& c) {
  KeeperRequest request = make_request(KeeperTask::switch_on, unit_.id, unit_.path.view(), lease_ns());
  std::memcpy(request.word, "cpu", 3);
  asked_id_ = c.keeper.ask(request).value_or(0u);
}

void CpuHold::on_answer(const HoldContext& c, const KeeperAnswer& answer) {
  if (answer.id != asked_id_ || asked_id_ == 0) return;
  asked_id_ = 0;
  note(c, "act", "cgroup.subtree_control", "", "+cpu", answer.error == 0 ? "ok" : errno_name(answer.error).message);
  if (holding_.level() == 0 || means_ != Means::asked) return;  // or it was asked for again: keep() writes the values
  if (answer.error == 0 && read_value(cgroup_, CgroupFile::cpu_weight))
    use_weight(c);
  else
    use_idle(c);
}

void CpuHold::use_weight(const HoldContext& c) {
  means_ = Means::weight;
  const auto done =
      apply_limit(c.journal, {&cgroup_, unit_.id, unit_.path.view()}, CgroupFile::cpu_weight, kLowWeight, lease_ns());
  if (!done) return use_idle(c);
  weight_entry_ = done->entry;
  note(c, "act", "cpu.weight", done->old_value.view(), kLowWeight, done->written ? "ok" : "stricter already", true);
}

void CpuHold::use_idle(const HoldContext& c) {
  means_ = Means::idle;
  passed_s_ = 0;
  found_s_ = c.moment.now_s;
  idle_pass(c);
  FixedString<32> threads;
  threads.append_number(idled_).append(" threads");
  if (covered_) return note(c, "act", "autogroup", "", "19", "ok", true);
  if (idled_ > 0) return note(c, "act", "SCHED_IDLE", "SCHED_OTHER", threads.view(), "ok", true);
  // PID 1, which has much to do while a package is installed: nothing is done to it.
  means_ = Means::none;
  (void)holding_.release(c.moment.now_s);
  note(c, "refused", "SCHED_IDLE", "", "", "nobody in it may be held", true);
}

bool CpuHold::settling(double now_s) const {
  return storming_ || now_s - found_s_ < kSettleS;
}

double CpuHold::pass_pace_s(double now_s) const {
  if (settling(now_s)) return kIdlePassS;
  return std::clamp(static_cast<double>(members_.size()) * kPassPerMemberS, covered_ ? kCoveredPassS : kIdlePassS,
                    kLongestPaceS);
}

// Whole sessions first, and before anybody else is looked for: from then on it is the others who run in the rests.
bool CpuHold::slow_sessions(const HoldContext& c) {
  if (!whole_sessions_.possible(c, unit_)) return false;
  if (!covered_) whole_sessions_.lower(c, unit_, members_, names_);
  c.census.see_newborn(unit_);
  see_members(c);
  whole_sessions_.lower(c, unit_, members_, names_);
  covered_ = !members_.empty() && whole_sessions_.cover_all(members_);
  storming_ = storming_ && !covered_;
  return covered_;
}

void CpuHold::idle_pass(const HoldContext& c) {
  if (c.moment.now_s - passed_s_ < (storming_ ? 0 : pass_pace_s(c.moment.now_s))) return;
  passed_s_ = c.moment.now_s;
  if (slow_sessions(c)) return;
  // Whoever forks on until it is idle makes children that are not: round after round, and without a rest, because
  // until then it is the storm that runs in the rests (240 forkers, one CPU: nobody else had 2 % of them).
  const uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + kLongestPassNs;
  do {
    const int before = idled_;
    if (storming_) end_turn();
    if (unit_.is_tree())
      storm_round(c);
    else
      idle_round(c);
    storming_ = idled_ - before >= kStorm;
    if (idled_ > before) found_s_ = c.moment.now_s;
  } while (storming_ && clock_ns(CLOCK_MONOTONIC) < until_ns);
  resume_turn();
  if (unit_.is_tree() && !settling(c.moment.now_s)) {
    done_.clear();
    idle_round(c);
  }
  lower_autogroups(c);
}

// Who of a tree is not known to be idle: one text and two system calls each, because while the rest is looked at in
// full (2.4 ms) others are born. Who is born of an idle parent is idle, and an heir (heirs.h).
void CpuHold::storm_round(const HoldContext& c) {
  static PidList pids;
  c.census.list_tree(unit_, pids);
  for (const int pid : pids) {
    if (std::binary_search(done_.begin(), done_.end(), pid)) continue;
    const auto now = read_process_stat(*c.roots.proc, pid);
    if (!now || !c.census.belongs(*now, unit_) || !c.guard.scope().allows_process(pid, c.census)) continue;
    if (whole_sessions_.cover(now->session) || !names_.allow(c, *now, unit_.path.view())) continue;
    if (now->threads == 1) {
      idled_ += idle_just_seen(c.journal, *now, lease_ns()).value_or(false) ? 1 : 0;
    } else {
      idled_ += idle_threads(c.journal, *c.roots.proc, {pid, now->start_ticks}, lease_ns()).value_or(0);
    }
    const bool in_order = done_.empty() || done_.back() < pid;
    if (done_.push_back(pid) && !in_order) std::sort(done_.begin(), done_.end());
  }
}

void CpuHold::idle_round(const HoldContext& c) {
  if (unit_.is_tree())
    see_members(c);
  else
    c.census.members(unit_, {}, members_);
  yielding_.clear();
  idled_now_.clear();
  // Children inherit the policy, and threads do; a few of those who are idle already are looked at again in each pass.
  const std::size_t turns = 1 + members_.size() / kLookedAtAgain;
  ++pass_;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const ProcessRef process{members_[i].pid, members_[i].start_ticks};
    const bool again = !storming_ && i % turns == pass_ % turns;
    // Hundreds of heirs are written into the journal a few in each pass.
    const bool idle = unit_.is_tree() ? is_idle(scheduling_policy(process.pid)) : is_idled(c.journal, process);
    if (whole_sessions_.cover(members_[i].session) || (!again && idle))
      yielding_.push_back(process);
    else
      idle_one(c, process);
  }
}

// One process of each session in a pass; the next passes add others, because who holds the entry may end.
void CpuHold::lower_autogroups(const HoldContext& c) {
  FixedVector<int, kLookedAtAgain> sessions;
  for (const ProcessRef& process : idled_now_) {
    const Member* member = find_member(members_, process.pid, process.start_ticks);
    if (member == nullptr || std::find(sessions.begin(), sessions.end(), member->session) != sessions.end()) continue;
    (void)sessions.push_back(member->session);
    if (owns_session(*c.roots.proc, member->session, members_, {yielding_.data(), yielding_.size()}))
      (void)lower_autogroup(c.journal, *c.roots.proc, process, lease_ns());
  }
}

void CpuHold::idle_one(const HoldContext& c, const ProcessRef& process) {
  const auto now = read_process(*c.roots.proc, process.pid);
  if (!now || now->start_ticks != process.start_ticks || !c.guard.scope().allows_process(process.pid, c.census)) return;
  if (!c.guard.reason(*now, unit_.path.view()).empty()) return;
  const auto changed = idle_threads(c.journal, *c.roots.proc, process, lease_ns(), now->threads);
  if (!changed) return;
  idled_ += *changed;
  yielding_.push_back(process);
  idled_now_.push_back(process);
}

// Tasks: half of what is left of the machine's task ids may still be born.
void CpuHold::limit_tasks(const HoldContext& c) {
  if (!controllable_ || c.shadow) return;
  const CgroupUsage usage = meter_.read();
  const auto limit = read_limit(cgroup_, "pids.max");
  if (!usage.has_pids || !limit) return;
  const uint64_t machine_left = c.max_tasks > c.moment.tasks ? static_cast<uint64_t>(c.max_tasks - c.moment.tasks) : 0;
  const uint64_t own_left = *limit == UINT64_MAX ? machine_left : *limit - std::min(*limit, usage.pids);
  ValueText wanted;
  wanted.append_unsigned(usage.pids + std::min(std::min(own_left, machine_left) / 2, kMostNewTasks));
  const auto done =
      apply_limit(c.journal, {&cgroup_, unit_.id, unit_.path.view()}, CgroupFile::pids_max, wanted.view(), lease_ns());
  if (done && done->written) pids_entry_ = done->entry, limited_s_ = c.moment.now_s;
  note(c, "act", "pids.max", done ? done->old_value.view() : std::string_view{}, wanted.view(),
       done ? "ok" : errno_name(done.error().code).message);
}

void CpuHold::keep(const HoldContext& c) {
  if (c.shadow || holding_.level() == 0 || asked_id_ != 0 || c.moment.now_s - kept_s_ < kKeepS) return;
  kept_s_ = c.moment.now_s;
  bool controller_lost = false;
  for (int* index : {&weight_entry_, &quota_entry_, &pids_entry_}) {
    const auto entry = c.journal.read(*index);
    if (!entry) continue;
    const char* const file = file_name(entry->file);
    switch (keep_limit(c.journal, *index, cgroup_, rewrites_)) {
      case Kept::written_again:
        note(c, "act", file, entry->old_value.view(), entry->ours.view(), "written again");
        break;
      case Kept::somebodys:
        *index = -1;
        note(c, "changed", file, entry->ours.view(), "", "somebody else's value: left");
        break;
      case Kept::absent: controller_lost = index != &pids_entry_; break;
      case Kept::ours:
      case Kept::given_up: break;
    }
  }
  if (controller_lost && rewrites_ < kMostRewrites) ask_for_controller(c), ++rewrites_;
}

void CpuHold::give_back(const HoldContext& c, int& entry) {
  if (entry < 0) return;
  const auto was = c.journal.read(entry);
  const Undone outcome = undo_entry(c.journal, entry, c.roots);
  if (was) note(c, "given_back", file_name(was->file), was->ours.view(), was->old_value.view(), undone_name(outcome));
  entry = -1;
}

void CpuHold::give_back_threads(const HoldContext& c) {
  yielding_.clear();
  for (int i = 0; i < Journal::capacity(); ++i) {
    const auto entry = c.journal.read(i);
    if (!entry || (entry->kind != EntryKind::thread_policy && entry->kind != EntryKind::autogroup)) continue;
    const uint64_t unit = c.census.unit_of_pid(entry->pid);
    if (unit == unit_.id || unit == 0) (void)yielding_.push_back({entry->pid, entry->start_ticks});
  }
  // A child born since the last pass is in nobody's journal, and its parent may have ended.
  c.census.members(unit_, {}, members_);
  static PidList born;
  born.clear();
  for (const Member& member : members_) {
    if (member.start_ticks >= begun_ticks_) (void)born.push_back(member.pid);
  }
  const int restored =
      undo_processes(c.journal, c.roots, {yielding_.data(), yielding_.size()}, Fd(), {born.data(), born.size()});
  FixedString<32> threads;
  threads.append_number(restored).append(" threads");
  note(c, "given_back", covered_ ? "autogroup" : "SCHED_IDLE", threads.view(), "SCHED_OTHER", "ok");
  whole_sessions_.forget();
  covered_ = false;
}

void CpuHold::carry_out(const HoldContext& c, const CpuOrders& orders) {
  if (orders.lower_weight) lower_weight(c);
  if (orders.set_quota && !c.shadow) {
    ValueText quota;
    quota.append_unsigned(static_cast<uint64_t>(quota_per_s(c) * kPeriodUs)).append(kQuotaPeriod);
    const auto done =
        apply_limit(c.journal, {&cgroup_, unit_.id, unit_.path.view()}, CgroupFile::cpu_max, quota.view(), lease_ns());
    if (done && done->written) quota_entry_ = done->entry;
    note(c, "act", "cpu.max", done ? done->old_value.view() : std::string_view{}, quota.view(),
         done ? "ok" : errno_name(done.error().code).message, true);
  }
  if (orders.drop_quota) give_back(c, quota_entry_);
  if (!orders.restore_weight) return;
  give_back(c, weight_entry_);
  give_back(c, pids_entry_);
  if (means_ == Means::idle) give_back_threads(c);
  for (int i = Journal::capacity() - 1; i >= 0; --i) {  // deepest first: they were switched on from the root down
    const auto entry = c.journal.read(i);
    if (entry && entry->kind == EntryKind::controller) (void)undo_entry(c.journal, i, c.roots);
  }
  means_ = Means::none;
}

void CpuHold::step(const HoldContext& c) {
  if (holding_.stage() == CpuStage::done) return;
  carry_out(c, holding_.step(observe(c)));
  keep(c);
  if (means_ == Means::idle && holding_.level() > 0 && !c.shadow) idle_pass(c);
  if (holding_.stage() != CpuStage::done) return;
  cgroup_.reset();
  meter_ = CgroupMeter{};
}

void CpuHold::release(const HoldContext& c, const char* why) {
  if (holding_.level() == 0) return;
  carry_out(c, holding_.release(c.moment.now_s));
  note(c, "given_back", "all", "", "", why);
}

void CpuHold::forget_everything(double now_s) {
  if (holding_.level() > 0) (void)holding_.release(now_s);  // a vacant one stays vacant
  means_ = Means::none;
  whole_sessions_.forget();
  covered_ = false;
  weight_entry_ = quota_entry_ = pids_entry_ = -1;
}

}  // namespace hosa
