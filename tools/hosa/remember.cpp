// What the agent keeps over restarts: the baseline, and what each unit has settled at.
#include <time.h>

#include "tools/hosa/agent.h"
#include "tools/hosa/size_key.h"
#include "tools/hosa/verbs.h"

namespace hosa {
namespace {

// A unit has settled at what it uses if it used about as much 20 s ago: so far back the history reaches also where
// churn trips all day, and a generation of it is kept each 2 s.
constexpr double kSettledS = 20, kSettledShare = 0.02, kTurnS = 5;

}  // namespace

void Agent::recall() {
  const BoardIdentity board{machine_.online_cpus, static_cast<uint32_t>(machine_.page_bytes),
                            static_cast<double>(machine_.ram_bytes)};
  const FixedString<256> text = baseline_.recall(senses_.detector(), known_sizes_, board, options_.warmup_s);
  if (text.empty()) return;
  note("baseline", "what", text.view());
  complain(FixedString<300>("hosa: ").append(text.view()).append("\n").view());
}

void Agent::remember() {
  const bool calm = active_holds() == 0 && moment_->verdict->level == 0;
  if (baseline_.step(senses_.detector(), known_sizes_, *keeper_, moment_->now_s, calm))
    note("baseline", "what", baseline_.told());
}

// One unit each 5 s: its largest process must be read, which is too dear for all of them at once.
void Agent::learn_a_size() {
  if (active_holds() > 0 || moment_->now_s - sized_s_ < kTurnS) return;
  sized_s_ = moment_->now_s;
  const std::span<const UnitUse> uses = candidates();  // who may not be held need not be known
  const UseHistory::Generation* const before = history_.at(moment_->now_s - kSettledS);
  if (uses.empty() || before == nullptr || before->time_s > moment_->now_s - kSettledS) return;
  for (std::size_t looked = 0; looked < uses.size(); ++looked) {
    const UnitUse& use = uses[next_size_++ % uses.size()];
    const UnitUse* const then = before->find(use.unit);
    const Unit* const unit = census_.find(use.unit);
    if (then == nullptr || unit == nullptr || use.bytes < KnownSizes::kLeastBytes) continue;
    if (std::abs(use.bytes - then->bytes) > kSettledShare * use.bytes) continue;
    static Members members;
    census_.members(*unit, {}, members);
    const uint64_t key = size_key(*unit, members, proc_, guard_);
    if (key != 0) known_sizes_.settled(key, use.bytes, clock_ns(CLOCK_REALTIME) / 1'000'000'000);
    return;
  }
}

}  // namespace hosa
