// A wake-up: sense, suspect, hold, and how long to sleep.
#include <time.h>

#include <algorithm>

#include "proprioception/turn.h"
#include "tools/hosa/agent.h"

namespace hosa {

namespace {

constexpr double kCalmS = 0.5, kSuspiciousS = 0.15;
// From the first look at a crowd, or at somebody who grows, to the second, which is all it takes (suspicion.cpp).
// Where the first took longer itself (0.12 s among 60 processes without the memory controller), soon.
constexpr double kSecondLookS = 1.05 * Suspicion::kShortestLookS, kBreathS = 0.02;
constexpr std::size_t kMostInAHurry = 200;
// The shortest time between two readings of the whole vector; longer while somebody is held: a reading is 5 ms on a
// 125 MIPS board, and what matters then is what the held one does.
constexpr uint64_t kSenseNs = 90'000'000, kSenseHoldingNs = 480'000'000, kSenseStormNs = 1'500'000'000;

}  // namespace

int Agent::level() const {
  int level = moment_ != nullptr && moment_->verdict->level >= 1 ? 1 : 0;
  for (const MemoryHold& hold : memory_holds_) level = std::max(level, hold.level());
  for (const CpuHold& hold : cpu_holds_) level = std::max(level, hold.level());
  return level;
}

double Agent::pace() const {
  const double now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  for (const Suspicion* suspicion : {&cpu_suspicion_, &memory_suspicion_})
    if (active_holds() == 0 && met_once(*suspicion))
      return std::max(kSecondLookS - (now_s - suspicion->began_s()), kBreathS);
  double wish = suspects() || moment_->verdict->level >= 1 || crowd_.stands() ? kSuspiciousS : kCalmS;
  if (active_holds() > 0) wish = static_cast<double>(kSenseHoldingNs) * 1e-9;
  for (const MemoryHold& hold : memory_holds_) wish = std::min(wish, hold.wish_s());
  for (const CpuHold& hold : cpu_holds_) wish = std::min(wish, hold.wish_s(moment_->now_s));
  return wish;
}

// Everything at once, ten times a second at most.
void Agent::sense_and_suspect(uint64_t now_ns) {
  sensed_ns_ = now_ns;
  const bool holding = active_holds() > 0, suspected = suspects();
  // An insurance is not an act: what happens under it is this machine's life, and is learned.
  moment_ = &senses_.take(!acts_in_force(), holding, suspected);
  available_.note(moment_->now_s, moment_->available_bytes);
  if (const std::string_view news = senses_.shedding_news(); !news.empty()) note("budget", "what", news);
  suspect();
  const bool at_once = looks_at_once();
  if (at_once && !suspected) hurry_turn();
  if (count()) {
    learn_a_size();
    look_for_tasks();  // the quickest to do harm
    look_for_cpu();
    if (at_once) resume_turn();  // whoever had to be found at once is found: a leak has time
    look_for_memory();
  }
  remember();
  tripwires_.learn(senses_.kernel(), moment_->now_s, level() == 0 && active_holds() == 0);
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

// Who has used up a quota, or its 5 ms, is frozen first; the machine is looked at in the next turn. Who is frozen
// already when the record is heard has time: his forty were counted without a rest, 18 ms at each thaw (relay on cgroup
// v1).
bool Agent::urgent() const {
  const double now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  return std::any_of(memory_holds_.begin(), memory_holds_.end(),
                     [&](const MemoryHold& hold) { return (quota_used_ && hold.runs()) || hold.in_crowd_thaw(now_s); });
}

// A storm starves others by the time it takes to find it, whoever is insured meanwhile. A look at hundreds of processes
// takes longer than the hurry lasts, and would only add 0.1 s to what others wait. A leak starves nobody: the look at
// its onset, without rests, was what eight requests of its neighbours waited for (6.1, one CPU).
bool Agent::looks_at_once() const {
  const double now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  const bool crowd = census_.processes().size() >= kMostInAHurry;
  return task_suspicion_.active(now_s) || fork_watch_.waits() ||
         (cpu_suspicion_.active(now_s) && active_holds() == 0 && !crowd);
}

void Agent::on_tick() {
  const uint64_t begun_ns = clock_ns(CLOCK_MONOTONIC);
  const bool hurry = urgent();
  const bool quotas =
      std::any_of(memory_holds_.begin(), memory_holds_.end(), [](const MemoryHold& h) { return h.runs(); });
  begin_turn({.roomy = moment_ != nullptr && machine_.online_cpus > 1 && moment_->running_per_cpu <= 1,
              .hurry = hurry || looks_at_once(),
              .records = quotas ? senses_.kernel().ring_fd() : -1,
              .stamp_ns = journal_->stamp_word()});
  ++ticks_;
  journal_->stamp(begun_ns);
  // A running bucket is looked at each 10 ms; the machine need not be.
  // Nor need it while a storm of forks is not yet all slowed: a look among 300 processes is 0.6 s, and 65 got away in
  // it.
  const double now_s = static_cast<double>(begun_ns) * 1e-9;
  const bool settling =
      std::any_of(cpu_holds_.begin(), cpu_holds_.end(), [now_s](const CpuHold& h) { return h.settles(now_s); });
  const bool due = begun_ns - sensed_ns_ >= (settling             ? kSenseStormNs
                                             : active_holds() > 0 ? kSenseHoldingNs
                                                                  : kSenseNs);
  if (moment_ == nullptr || (due && !hurry))
    sense_and_suspect(begun_ns);
  else
    moment_ = &senses_.later();
  if (sensed_ns_ != begun_ns && std::any_of(memory_holds_.begin(), memory_holds_.end(),
                                            [](const MemoryHold& hold) { return hold.counts_unowned(); }))
    senses_.read_unowned();
  quota_used_ = false;
  notice_give_back();
  step_holds();
  if (ends_s_ > 0 && moment_->boot_s >= ends_s_) ending_ = true;
  tick_latency_.add_ns(clock_ns(CLOCK_MONOTONIC) - begun_ns);
  next_tick_s_ = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9 + pace();
}

bool Agent::on_timer() {
  const double now_s = static_cast<double>(clock_ns(CLOCK_MONOTONIC)) * 1e-9;
  const bool suspected = suspects();
  check_trips(now_s);
  const bool held = forks_due_s_ >= 0 && now_s >= forks_due_s_ && check_forks(now_s);
  return held || now_s >= next_tick_s_ || (!suspected && suspects());
}

}  // namespace hosa
