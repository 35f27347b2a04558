// From a record, a short horizon or a high score to a name: whom to suspect, how often to count, when to give up.
#include <time.h>

#include <algorithm>
#include <cstring>

#include "actuate/room_size.h"
#include "tools/hosa/agent.h"

namespace hosa {

namespace {

// While memory is held, the short horizon and the high score are what the held one makes: others are looked for less
// often (a look is 20 ms on such a board), unless a tripwire names somebody else.
constexpr double kLookHoldingS = 0.5, kOthersS = 10;
constexpr double kLookPerProcessS = 0.004;
constexpr double kLookS = 0.135;  // suspicious
// Calm: 38 us per cgroup or 13 us per process; of a core no more than this share, as far as the interval goes.
constexpr double kCensusS = 5, kCensusMostS = 10, kCensusShare = 0.0002;
constexpr double kChurnS = 0.4;  // no net growth after so long: it was churn
constexpr double kPaceMargin = 2;
// Where others churn all day one look would follow the other: 0.4 s looking, then 1 s only at what uses up the room
// soon.
constexpr double kRestS = 1, kSoonS = 20;

}  // namespace

// Who is held already pushes against the bucket all the time: that is no news.
bool Agent::is_held(const hosa_event& event) const {
  const uint64_t unit = census_.unit_of_pid(static_cast<int>(event.tgid));
  for (const MemoryHold& hold : memory_holds_) {
    if (hold.level() >= 2 &&
        (hold.unit().id == event.cgroup || hold.unit().id == unit || hold.owns_room(event.cgroup))) {
      return event.subject != HOSA_FORKS;
    }
  }
  return event.subject == HOSA_FORKS && is_held_storm(event.cgroup, unit);
}

// A storm that is slowed forks on: each record made the next looks hurry, which took the CPU from others. Whoever was
// born since the last census has no unit yet.
bool Agent::is_held_storm(uint64_t cgroup, uint64_t unit) const {
  const bool unseen = unit == 0 && census_.find(cgroup) == nullptr;
  return std::any_of(cpu_holds_.begin(), cpu_holds_.end(), [&](const CpuHold& hold) {
    const bool tree = hold.unit().is_tree();
    return hold.level() >= 2 && hold.carrier() == Carrier::tasks &&
           (tree ? unseen || unit == hold.unit().id : cgroup == hold.unit().id);
  });
}

// True: there is something to do at once. A trip of memory is checked first, unless somebody is held: then it may be
// one more. What is suspected already is looked at by the timer: a look at the moment of a record meets who churns at
// the top of its swing.
bool Agent::on_ring() {
  static KernelEvents events;
  bool news = false;
  events.clear();
  senses_.kernel().consume(events);
  const uint64_t now_ns = clock_ns(CLOCK_MONOTONIC);
  const double now_s = static_cast<double>(now_ns) * 1e-9;
  for (const hosa_event& event : events) {
    trips_ += event.subject < HOSA_SUBJECTS ? 1 : 0;
    if (event.subject < HOSA_SUBJECTS && event.span != HOSA_QUOTA) trip_quiet_.told(senses_.kernel(), event, now_s);
    records_[next_record_++ % records_.size()] = {event, now_ns};
    if (now_ns > event.time_ns) record_latency_.add_ns(now_ns - event.time_ns);
    if (event.subject >= HOSA_SUBJECTS) {
      news = true;
      if (event.subject == HOSA_OOM_KILL) note_oom_kill(event);
      continue;
    }
    if (event.span == HOSA_QUOTA) {
      quota_used_ = news = true;
      continue;
    }
    if (static_cast<int>(event.tgid) == keeper_->pid()) continue;
    if (is_held(event)) continue;
    tripwires_.tripped(event, now_s);
    if (event.subject != HOSA_FORKS && active_holds() == 0) {
      on_memory_trip(event, now_s);
      continue;
    }
    const double onset_s = static_cast<double>(event.time_ns) * 1e-9;
    if (event.subject != HOSA_FORKS) {
      news = memory_suspicion_.raise(Cause::tripwire, onset_s, now_s) || news;
    } else if (forks_due_s_ < 0 && !task_suspicion_.active(now_s)) {
      // What was before is what was there before the window began.
      forks_onset_s_ = onset_s - (event.span == HOSA_LONG_WINDOW ? HOSA_LONG_WINDOW_NS : HOSA_SHORT_WINDOW_NS) * 1e-9;
      forks_cgroup_ = event.cgroup;
      forks_due_s_ = now_s + ForkWatch::kStepS;
    }
  }
  return news;
}

// The kernel has picked somebody while this task asked for memory.
void Agent::note_oom_kill(const hosa_event& event) {
  FixedString<80> text("the kernel's OOM killer was called by ");
  char comm[sizeof event.comm + 1] = {};
  std::memcpy(comm, event.comm, sizeof event.comm);
  note("oom_kill", "what", text.append(comm).append(" (").append_unsigned(event.tgid).append(")").view());
}

void Agent::on_memory_trip(const hosa_event& event, double now_s) {
  if (memory_suspicion_.active(now_s)) return;
  TripCheck* idle = nullptr;
  for (TripCheck& check : trip_checks_) {
    if (check.waits() && check.event().tgid == event.tgid) return;
    if (!check.waits()) idle = &check;
  }
  if (idle == nullptr || !trip_quiet_.may_check(senses_.kernel(), event, now_s)) return;
  idle->begin(proc_, available_, event, now_s, static_cast<double>(machine_.page_bytes));
}

// Two readings after a trip; afterwards somebody is looked for, or it was churn.
void Agent::check_trips(double now_s) {
  for (TripCheck& check : trip_checks_) {
    if (!check.waits() || now_s < check.due_s()) continue;
    const TripCheck::Answer answer = check.look(now_s, senses_.available_now());
    if (answer != TripCheck::Answer::wait) judge_trip(check, answer, now_s);
  }
}

// Churn is also what would last for long at twice its pace: nobody would be held for it (on a machine with 23 GB left
// that is what compilers do all day).
void Agent::judge_trip(const TripCheck& check, TripCheck::Answer answer, double now_s) {
  const double within_s = now_s < rests_until_s_ ? kSoonS : kPaceMargin * horizon_s();
  const bool matters = check.growth_per_s() * within_s > room();
  if (answer == TripCheck::Answer::grows && matters) {
    (void)memory_suspicion_.raise(Cause::tripwire, check.onset_s(), now_s);
    return;
  }
  ++dismissed_;
  trip_quiet_.dismissed(senses_.kernel(), check.event(), now_s);
  if (memory_suspicion_.active(now_s)) return;
  tripwires_.churned(senses_.kernel(), Tripwires::Suspected::memory, Tripwires::kDismissed, now_s);
}

bool Agent::suspects() const {
  const double now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  return memory_suspicion_.active(now_s) || cpu_suspicion_.active(now_s) || task_suspicion_.active(now_s);
}

// Counts who uses what: every 5 s when calm, at each look while somebody is suspected.
bool Agent::count() {
  const double now_s = moment_->now_s;
  const bool suspicious = suspects();
  if (fork_watch_.waits()) return false;  // among a storm's children it would last longer than the watch
  const double crowd_s = static_cast<double>(census_.processes().size()) * kLookPerProcessS;
  const double shortest_s = met_a_crowd_once() ? Suspicion::kShortestLookS : kLookS;
  const double look_s = active_holds() > 0 ? std::max(kLookHoldingS, crowd_s) : shortest_s;
  if (now_s - counted_s_ < (suspicious ? look_s : calm_census_s_)) return false;
  const uint64_t used_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
  const bool onset = suspicious && now_s - looked_s_ > 1;
  const auto look = onset ? Census::Look::onset : suspicious ? Census::Look::suspicious : Census::Look::calm;
  if (!suspicious && scope_.by_command())
    know_everybody();  // command lines of those born since, too
  else
    census_.take(now_s, moment_->unowned, handed_, look);
  counted_s_ = now_s;
  const double cost_s = static_cast<double>(clock_ns(CLOCK_THREAD_CPUTIME_ID) - used_ns) * 1e-9;
  if (!suspicious) calm_census_s_ = std::clamp(cost_s / kCensusShare, kCensusS, kCensusMostS);
  if (suspicious) looked_s_ = now_s, ++looks_;
  // Also while somebody is suspected: what counts as "before" is older than the onset, and on a machine whose churn
  // trips all day there may never be a calm census.
  if (!suspicious) suspect_who_grew(), watch_largest_user();
  history_.remember(now_s, census_.uses());
  return true;
}

// What neither a tripwire nor the machine's horizon sees: between two calm censuses a unit grew at a pace that uses up
// the room. With --only or --room the room is far smaller than what the machine has left; and where others churn, the
// wires are set above a leak of 30 MB/s.
void Agent::suspect_who_grew() {
  const double now_s = moment_->now_s;
  const UseHistory::Generation* before = history_.at(now_s - UseHistory::kSpacingS);
  const double growth_per_s = fastest_growth_per_s(candidates(), before, now_s);
  if (growth_per_s * horizon_s() < room()) return;
  memory_suspicion_.raise(Cause::horizon, before->time_s, now_s);
}

// What no total shows: somebody takes far more, or less, of the CPUs than the largest user ever did here (top_share.h).
void Agent::watch_largest_user() {
  const double now_s = moment_->now_s;
  const UseHistory::Generation* before = history_.at(now_s - UseHistory::kSpacingS);
  if (before == nullptr || machine_.online_cpus == 0 || acts_in_force()) return;
  double most = 0;
  for (const UnitUse& use : census_.uses()) {
    const UnitUse* const was = before->find(use.unit);
    most = std::max(most, use.cpu_s - (was != nullptr ? was->cpu_s : 0));
  }
  const double apart_s = now_s - before->time_s;
  if (apart_s > 0) largest_user_.add(most / (apart_s * machine_.online_cpus), apart_s);
  senses_.tell_share(largest_user_.told());
}

double Agent::horizon_s() const {
  return moment_->verdict->warming ? Holding::kWarmupHorizonS : Holding::kHorizonS;
}

double Agent::room() const {
  RoomInputs in;
  in.mem_total = moment_->total_bytes;
  in.mem_available = moment_->available_bytes;
  in.room_option = options_.room_bytes;
  return room_bytes(in);
}

// The resource whose dimensions together carry most of the distance, of those that show more load than is normal: who
// is starved of the CPU allocates less than ever, and that made memory the carrier of a storm of spinners, which were
// then held after 1.6 to 3.6 s (lab spin).
detect::Resource Agent::carrier() const {
  const detect::Verdict& v = *moment_->verdict;
  const std::span<const detect::Dimension> dimensions = senses_.vector().dimensions();
  const detect::Vector& mean = moment_->detector->moments().mean;
  std::array<double, detect::kResources> sum{};
  for (std::size_t i = 0; i < v.n; ++i) {
    const bool more = dimensions[i].sign * (v.z[i] - mean[i]) > 0;
    if (more) sum[static_cast<std::size_t>(dimensions[i].resource)] += v.contribution[i];
  }
  return static_cast<detect::Resource>(std::max_element(sum.begin(), sum.end()) - sum.begin());
}

void Agent::suspect() {
  const double now_s = moment_->now_s;
  const detect::Verdict& verdict = *moment_->verdict;
  const bool others = active_holds() == 0 || now_s - others_s_ >= kOthersS;
  // A slow leak is far along when the horizon sees it: what was before is what the oldest census says.
  if (others && moment_->horizon_s < horizon_s())
    others_s_ = now_s, memory_suspicion_.raise(Cause::horizon, now_s - 20, now_s);
  const bool rising = !verdict.warming && verdict.level >= 2;
  if (others && rising && carrier() == detect::Resource::memory)
    others_s_ = now_s, memory_suspicion_.raise(Cause::score, now_s - 10, now_s);
  crowd_.read(crowd_reading(), crowd_counts());
  if (crowd_.stands() && !verdict.warming && verdict.level >= 1)
    cpu_suspicion_.raise(Cause::score, crowd_.since_s(), now_s);
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

// Nobody was confirmed: what tripped was churn, and its wire is set higher.
void Agent::drop_memory_suspicion() {
  if (memory_suspicion_.cause() != Cause::none)
    tripwires_.churned(senses_.kernel(), Tripwires::Suspected::memory, Tripwires::kLookedFor, moment_->now_s);
  if (memory_suspicion_.cause() == Cause::tripwire) rests_until_s_ = moment_->now_s + kRestS;
  memory_suspicion_.drop();
  nobody_told_ = false;
}

// Long enough at twice its pace. Not asked beside somebody who is held: that one may have grown most, and stands still.
bool Agent::lasts(const Finding& finding, double room) const {
  return active_holds() == 0 && kPaceMargin * finding.growth_per_s * horizon_s() < room;
}

void Agent::look_for_memory() {
  const double now_s = moment_->now_s;
  if (!memory_suspicion_.active(now_s)) return drop_memory_suspicion();
  const double room = this->room();
  const double least = std::max(Suspicion::kLeastBytes, room / 100);
  const Finding finding = memory_suspicion_.look(Carrier::memory, now_s, candidates(), history_, least, room);
  if (finding.confirmed && room / finding.growth_per_s < horizon_s()) {
    hold_memory(finding);
    tripwires_.confirmed(Tripwires::Suspected::memory);
    memory_suspicion_.drop();
  } else if (memory_suspicion_.age_s(now_s) > kChurnS && (finding.growth < least / 4 || lasts(finding, room))) {
    drop_memory_suspicion();
  } else if (finding.grows && !finding.named && finding.growth > least && !nobody_told_) {
    nobody_told_ = true;
    JsonLine line = audit_.line("nobody", level());
    line.text("resource", "memory").number("share", finding.share).number("runner_up", finding.runner_up_share);
    Audit::explain(line, *moment_, senses_.vector());
    audit_.write(line);
  }
}

}  // namespace hosa
