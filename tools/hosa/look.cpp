// From a record, a short horizon or a high score to a name: whom to suspect, how often to count, when to give up.
#include <time.h>

#include <algorithm>

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
constexpr double kRestS = 1;     // records.cpp says why

}  // namespace

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
  const bool met = met_once(cpu_suspicion_) || met_once(memory_suspicion_);
  const double shortest_s = met ? Suspicion::kShortestLookS : kLookS;
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
  const double least = std::max(Suspicion::kLeastBytes, room / 200);
  const Finding finding = memory_suspicion_.look(Carrier::memory, now_s, candidates(), history_, least);
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
