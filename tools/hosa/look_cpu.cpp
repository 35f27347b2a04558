// From a crowd of tasks that want to run to a name: whom others wait for.
#include <algorithm>

#include "tools/hosa/agent.h"

namespace hosa {
namespace {

// Others wait for so long before a CPU culprit is held; and for so long where the score is hardly unusual and shows
// something else than CPU: twenty small jobs of cron crowd a CPU for 3.6 s (soak server: cpu.weight 1 on them).
// Who leaks is named within half a second, and is not held for the CPU that leaking takes.
constexpr double kCrowdedS = 0.2, kBurstS = 4, kMemoryFirstS = 1.5;

}  // namespace

bool Agent::crowd_counts() const {
  // Only the resource that carries the episode (spec 7). While nobody is held, threads that appear and spin may show
  // more as tasks that exist than as CPU: on a machine with always the same 63 tasks eight spinners were named 18 s
  // late. And who is in a hold room is SCHED_IDLE and thawed in bursts: such a crowd is no harm to others.
  // Nor is it memory's episode while memory is well, whatever shows most: eight spinners of a service were named after
  // 6.9 s, twice the time for which their stacks had somebody suspected.
  using enum detect::Resource;
  const detect::Resource by = carrier();
  const bool well = moment_->horizon_s > 10 * horizon_s();
  if (by != cpu && (active_holds() > 0 || (by != tasks && !(by == memory && well)))) return false;
  for (const MemoryHold& hold : memory_holds_) {
    if (hold.level() >= 3) return false;
  }
  return true;
}

CrowdReading Agent::crowd_reading() const {
  const Moment& m = *moment_;
  return {m.now_s, m.running, m.beat_s, m.waiting_now * m.beat_s, m.exact_waiting};
}

// The first two texts after a burst of forks say how many want to run: it need not be a storm of forks to be a crowd
// (eight threads that compute without pause: the next reading of the machine is up to 0.5 s away).
void Agent::note_crowd(const TaskCounts& tasks, double now_s) {
  if (active_holds() == 0 && crowd_.notice(static_cast<double>(tasks.running) - 1, now_s))
    next_tick_s_ = std::min(next_tick_s_, now_s + kCrowdedS / 2);
}

// The last look was the first at it.
bool Agent::met_once(const Suspicion& suspicion) const {
  return suspicion.cause() != Cause::none && suspicion.began_s() == counted_s_;
}

void Agent::look_for_cpu() {
  if (!cpu_suspicion_.active(moment_->now_s)) return cpu_suspicion_.drop();
  const Finding finding = cpu_suspicion_.look(Carrier::cpu, moment_->now_s, candidates(), history_, 0);
  const bool cpu = carrier() == detect::Resource::cpu, unusual = moment_->verdict->level >= 2;
  const bool memory_first = memory_suspicion_.active(moment_->now_s) && !cpu;
  const double patience_s = !cpu && !unusual ? kBurstS : memory_first ? kMemoryFirstS : kCrowdedS;
  const bool hurts = crowd_.lasts_s(moment_->now_s) >= patience_s;
  if (!finding.confirmed || !hurts) return;
  hold_cpu(finding, Carrier::cpu, cpu_suspicion_.cause());
  cpu_suspicion_.drop();
}

}  // namespace hosa
