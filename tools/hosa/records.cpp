// What the kernel's records say: who is held already, what is checked twice before anybody is suspected of it.
#include <time.h>

#include <algorithm>
#include <cstring>

#include "tools/hosa/agent.h"

namespace hosa {
namespace {

// Where others churn all day one look would follow the other: 0.4 s looking, then 1 s only at what uses up the room
// within this time.
constexpr double kSoonS = 20;

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

}  // namespace hosa
