// What happens at each wake-up: sense, suspect, hold, give back, and how long to sleep.
#include <time.h>

#include <algorithm>

#include "actuate/khugepaged.h"
#include "actuate/room_size.h"
#include "proprioception/turn.h"
#include "tools/hosa/agent.h"

namespace hosa {
namespace {

constexpr double kCalmS = 0.5, kSuspiciousS = 0.15;
// The shortest time between two readings of the whole vector; longer while somebody is held: a reading is 5 ms on a
// 125 MIPS board, and what matters then is what the held one does.
constexpr uint64_t kSenseNs = 90'000'000, kSenseHoldingNs = 480'000'000;
// While memory is held, the short horizon and the high score are what the held one makes: others are looked for less
// often (a look is 20 ms on such a board), unless a tripwire names somebody else.
constexpr double kLookHoldingS = 0.5, kOthersS = 10;
constexpr double kCensusS = 5;     // calm: 38 us per cgroup or 13 us per process, so below 0.1 % of a core
constexpr double kQuietS = 0.1;    // after a record no other is sent for so long: the look is under way
constexpr double kCrowdedS = 0.3;  // others wait for so long before a CPU culprit is looked for
constexpr double kCrowdedShare = 0.5, kCrowdedPerCpu = 4;
constexpr double kChurnS = 0.4;     // no net growth after so long: it was churn
constexpr double kStormTasks = 64;  // births since onset that make a storm of a burst

}  // namespace

HoldContext Agent::context() {
  HoldContext c{*moment_, senses_.vector(), census_, handed_, *journal_,
                *keeper_, roots_,           audit_,  guard_,  senses_.kernel()};
  c.shadow = !acting_allowed();
  c.memory_controller = memory_controller_;
  c.room_option = options_.room_bytes;
  c.page_bytes = static_cast<double>(machine_.page_bytes);
  c.held_units = 0;
  for (const MemoryHold& hold : memory_holds_) c.held_units += hold.level() > 0 ? 1 : 0;
  c.held_units = std::max(1, c.held_units);
  c.ceiling = config_.ceiling;
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

int Agent::level() const {
  int level = moment_ != nullptr && moment_->verdict->level >= 1 ? 1 : 0;
  for (const MemoryHold& hold : memory_holds_) level = std::max(level, hold.level());
  for (const CpuHold& hold : cpu_holds_) level = std::max(level, hold.level());
  return level;
}

// Who is held already pushes against the bucket all the time: that is no news.
bool Agent::is_held(const hosa_event& event) const {
  const uint64_t unit = census_.unit_of_pid(static_cast<int>(event.tgid));
  for (const MemoryHold& hold : memory_holds_) {
    if (hold.level() >= 2 &&
        (hold.unit().id == event.cgroup || hold.unit().id == unit || hold.owns_room(event.cgroup))) {
      return event.subject != HOSA_FORKS;
    }
  }
  return false;
}

void Agent::on_ring() {
  static KernelEvents events;
  events.clear();
  senses_.kernel().consume(events);
  const uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
  const double now_s = static_cast<double>(now_ns) * 1e-9;
  for (const hosa_event& event : events) {
    ++trips_;
    if (now_ns > event.time_ns) record_latency_.add_ns(now_ns - event.time_ns);
    if (event.span == HOSA_QUOTA) {
      quota_used_ = true;
      continue;
    }
    if (static_cast<int>(event.tgid) == keeper_->pid()) continue;
    if (is_held(event)) continue;
    tripwires_.tripped(event, now_s);
    const double onset_s = static_cast<double>(event.time_ns) * 1e-9;
    (event.subject == HOSA_FORKS ? task_suspicion_ : memory_suspicion_).raise(Cause::tripwire, onset_s, now_s);
  }
  if (!events.empty()) senses_.kernel().quiet_until(now_ns + static_cast<uint64_t>(kQuietS * 1e9));
}

// Counts who uses what: every 5 s when calm, at each look while somebody is suspected.
bool Agent::count() {
  const double now_s = moment_->now_s;
  const bool suspicious =
      memory_suspicion_.active(now_s) || cpu_suspicion_.active(now_s) || task_suspicion_.active(now_s);
  const double look_s = active_holds() > 0 ? kLookHoldingS : 0.9 * kSuspiciousS;
  if (now_s - counted_s_ < (suspicious ? look_s : kCensusS)) return false;
  const bool onset = suspicious && now_s - looked_s_ > 1;
  const auto look = onset ? Census::Look::onset : suspicious ? Census::Look::suspicious : Census::Look::calm;
  if (!suspicious && scope_.by_command())
    know_everybody();  // command lines of those born since, too
  else
    census_.take(now_s, moment_->unowned_bytes, handed_, look);
  counted_s_ = now_s;
  if (suspicious) looked_s_ = now_s;
  // Also while somebody is suspected: what counts as "before" is older than the onset, and on a machine whose churn
  // trips all day there may never be a calm census.
  history_.remember(now_s, census_.uses());
  return true;
}

// The resource whose dimensions together carry most of the distance.
detect::Resource Agent::carrier() const {
  const detect::Verdict& v = *moment_->verdict;
  std::array<double, detect::kResources> sum{};
  for (std::size_t i = 0; i < v.n; ++i)
    sum[static_cast<std::size_t>(senses_.vector().dimensions()[i].resource)] += v.contribution[i];
  return static_cast<detect::Resource>(std::max_element(sum.begin(), sum.end()) - sum.begin());
}

bool Agent::crowded() const {
  // Only the resource that carries the episode (spec 7). And who is in a hold room is SCHED_IDLE and thawed in bursts:
  // such a crowd is no harm to others.
  if (carrier() != detect::Resource::cpu) return false;
  for (const MemoryHold& hold : memory_holds_) {
    if (hold.level() >= 3) return false;
  }
  return moment_->waiting_share > kCrowdedShare && moment_->running_per_cpu >= kCrowdedPerCpu;
}

void Agent::suspect() {
  const double now_s = moment_->now_s;
  const detect::Verdict& verdict = *moment_->verdict;
  const double horizon = verdict.warming ? Holding::kWarmupHorizonS : Holding::kHorizonS;
  const bool others = active_holds() == 0 || now_s - others_s_ >= kOthersS;
  // A slow leak is far along when the horizon sees it: what was before is what the oldest census says.
  if (others && moment_->horizon_s < horizon)
    others_s_ = now_s, memory_suspicion_.raise(Cause::horizon, now_s - 20, now_s);
  const bool rising = !verdict.warming && verdict.level >= 2;
  if (others && rising && carrier() == detect::Resource::memory)
    others_s_ = now_s, memory_suspicion_.raise(Cause::score, now_s - 10, now_s);
  if (!crowded())
    crowded_since_s_ = -1;
  else if (crowded_since_s_ < 0)
    crowded_since_s_ = now_s;
  const bool hurts = crowded_since_s_ >= 0 && now_s - crowded_since_s_ >= kCrowdedS;
  if (hurts && !verdict.warming && verdict.level >= 1) cpu_suspicion_.raise(Cause::score, crowded_since_s_, now_s);
}

// With --only the sandbox is the machine: shares are of the growth inside it, whatever else this host is doing.
std::span<const UnitUse> Agent::candidates() {
  if (!scope_.limited()) return census_.uses();
  allowed_.clear();
  for (const UnitUse& use : census_.uses()) {
    const Unit* unit = census_.find(use.unit);
    if (unit != nullptr && scope_.allows(*unit, census_, guard_.names())) allowed_.push_back(use);
  }
  return {allowed_.data(), allowed_.size()};
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
      return;
    }
  }
  const Unit* unit = census_.find(finding.unit);
  if (vacant == nullptr || unit == nullptr || !may_hold(finding, "cpu: as many as allowed are held")) return;
  *vacant = CpuHold{};
  journal_->set_acting(true);
  if (vacant->begin(c, *unit, finding, cause, carrier)) ++acts_;
}

// Nobody was confirmed: what tripped was churn, and its wire is set higher.
void Agent::drop_memory_suspicion() {
  if (memory_suspicion_.cause() != Cause::none) tripwires_.settle(senses_.kernel(), false);
  memory_suspicion_.drop();
  nobody_told_ = false;
}

void Agent::look_for_memory() {
  const double now_s = moment_->now_s;
  if (!memory_suspicion_.active(now_s)) return drop_memory_suspicion();
  RoomInputs in;
  in.mem_total = moment_->total_bytes;
  in.mem_available = moment_->available_bytes;
  in.room_option = options_.room_bytes;
  const double room = room_bytes(in);
  const double least = std::max(Suspicion::kLeastBytes, room / 100);
  const Finding finding = memory_suspicion_.look(Carrier::memory, now_s, candidates(), history_, least, room);
  const double horizon = moment_->verdict->warming ? Holding::kWarmupHorizonS : Holding::kHorizonS;
  if (finding.confirmed && room / finding.growth_per_s < horizon) {
    hold_memory(finding);
    tripwires_.settle(senses_.kernel(), true);
    memory_suspicion_.drop();
  } else if (memory_suspicion_.age_s(now_s) > kChurnS && finding.growth < least / 4) {
    drop_memory_suspicion();
  } else if (finding.grows && !finding.named && finding.growth > least && !nobody_told_) {
    nobody_told_ = true;
    JsonLine line = audit_.line("nobody", level());
    line.text("resource", "memory").number("share", finding.share).number("runner_up", finding.runner_up_share);
    Audit::explain(line, *moment_, senses_.vector());
    audit_.write(line);
  }
}

void Agent::look_for_cpu() {
  if (!cpu_suspicion_.active(moment_->now_s)) return cpu_suspicion_.drop();
  const Finding finding = cpu_suspicion_.look(Carrier::cpu, moment_->now_s, candidates(), history_, 0);
  if (!finding.confirmed) return;
  hold_cpu(finding, Carrier::cpu, cpu_suspicion_.cause());
  cpu_suspicion_.drop();
}

void Agent::look_for_tasks() {
  if (!task_suspicion_.active(moment_->now_s)) return task_suspicion_.drop();
  const Finding finding = task_suspicion_.look(Carrier::tasks, moment_->now_s, candidates(), history_, kStormTasks);
  if (!finding.confirmed) return;
  hold_cpu(finding, Carrier::tasks, task_suspicion_.cause());
  tripwires_.settle(senses_.kernel(), true);
  task_suspicion_.drop();
}

void Agent::forget_holds() {
  const double now_s = moment_ != nullptr ? moment_->now_s : 0;
  for (MemoryHold& hold : memory_holds_) hold.forget_everything(now_s);
  for (CpuHold& hold : cpu_holds_) hold.forget_everything(now_s);
  slow_khugepaged_ = false;
  khugepaged_entry_ = -1;
}

// The keeper gave everything back while this process stood still (stopped, frozen, stuck): nothing is ours any more.
void Agent::notice_give_back() {
  if (!journal_->gave_back()) return;
  accept_give_back(*journal_, roots_);
  forget_holds();
  note("keeper", "what", "this process stood still for 2 s; the keeper gave everything back");
}

// Only while a bucket runs, and never with --only: it is a setting of the whole machine.
void Agent::pace_khugepaged() {
  bool bucket = false;
  for (const MemoryHold& hold : memory_holds_) bucket = bucket || hold.level() >= 3;
  const bool wanted = bucket && acting_allowed() && !scope_.limited();
  if (wanted == slow_khugepaged_) return;
  slow_khugepaged_ = wanted;
  if (wanted) khugepaged_entry_ = slow_khugepaged(*journal_, clock_ns(CLOCK_BOOTTIME) + 10'000'000'000u);
  if (!wanted && khugepaged_entry_ >= 0) (void)undo_entry(*journal_, khugepaged_entry_, roots_);
  if (khugepaged_entry_ >= 0) note(wanted ? "act" : "given_back", "what", "khugepaged: one page at a time");
  if (!wanted) khugepaged_entry_ = -1;
}

void Agent::step_holds() {
  const HoldContext c = context();
  for (MemoryHold& hold : memory_holds_) {
    const int before = hold.level();
    hold.step(c);
    if (before < 3 && hold.level() >= 3) ++acts_;
  }
  for (CpuHold& hold : cpu_holds_) hold.step(c);
  pace_khugepaged();
  const bool acting = active_holds() > 0 || journal_->held_count() > 0;
  journal_->set_acting(acting);
  if (!acting || c.moment.now_s - leased_s_ < 1) return;
  leased_s_ = c.moment.now_s;
  const uint64_t deadline_ns = clock_ns(CLOCK_BOOTTIME) + 10'000'000'000u;
  for (int i = 0; i < Journal::capacity(); ++i) {
    if (journal_->state(i) == EntryState::armed) journal_->renew(i, deadline_ns);
  }
}

void Agent::release_all(const char* why) {
  const HoldContext c = context();
  for (MemoryHold& hold : memory_holds_) hold.release(c, why);
  for (CpuHold& hold : cpu_holds_) hold.release(c, why);
}

double Agent::pace() const {
  const double now_s = moment_->now_s;
  const bool suspicious =
      memory_suspicion_.active(now_s) || cpu_suspicion_.active(now_s) || task_suspicion_.active(now_s);
  double wish = suspicious || moment_->verdict->level >= 1 || crowded_since_s_ >= 0 ? kSuspiciousS : kCalmS;
  if (active_holds() > 0) wish = static_cast<double>(kSenseHoldingNs) * 1e-9;
  for (const MemoryHold& hold : memory_holds_) wish = std::min(wish, hold.wish_s());
  for (const CpuHold& hold : cpu_holds_) wish = std::min(wish, hold.wish_s());
  return wish;
}

// Everything at once, ten times a second at most.
void Agent::sense_and_suspect(uint64_t now_ns) {
  sensed_ns_ = now_ns;
  const bool holding = active_holds() > 0;
  // An insurance is not an act: what happens under it is this machine's life, and is learned.
  moment_ = &senses_.take(!acts_in_force(), holding);
  suspect();
  if (count()) {
    look_for_memory();
    look_for_cpu();
    look_for_tasks();
  }
  tripwires_.relax(senses_.kernel(), moment_->now_s);
  if (const int now = level(); now != told_level_) {
    JsonLine line = audit_.line("level", now);
    line.integer("before", told_level_);
    Audit::explain(line, *moment_, senses_.vector());
    audit_.write(line);
    told_level_ = now;
  }
  if (ready_told_ || moment_->verdict->warming) return;
  ready_told_ = true;
  note("ready", "what", "warm-up has ended");
}

// Who has used up a quota, or its 5 ms, is frozen first; the machine is looked at in the next turn.
bool Agent::urgent() const {
  const double now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  return quota_used_ || std::any_of(memory_holds_.begin(), memory_holds_.end(),
                                    [now_s](const MemoryHold& hold) { return hold.in_crowd_thaw(now_s); });
}

void Agent::on_tick() {
  const uint64_t begun_ns = clock_ns(CLOCK_MONOTONIC);
  begin_turn();
  ++ticks_;
  journal_->stamp(begun_ns);
  // A running bucket is looked at each 10 ms; the machine need not be.
  const bool due = begun_ns - sensed_ns_ >= (active_holds() > 0 ? kSenseHoldingNs : kSenseNs);
  if (moment_ == nullptr || (due && !urgent()))
    sense_and_suspect(begun_ns);
  else
    moment_ = &senses_.later();
  quota_used_ = false;
  notice_give_back();
  step_holds();
  if (ends_s_ > 0 && moment_->boot_s >= ends_s_) ending_ = true;
  tick_latency_.add_ns(clock_ns(CLOCK_MONOTONIC) - begun_ns);
  arm(pace());
}

}  // namespace hosa
