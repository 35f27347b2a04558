#include "actuate/suspicion.h"

#include <algorithm>

#include "detect/culprit.h"

namespace hosa {
namespace {

double amount(const UnitUse* use, Carrier carrier) {
  if (use == nullptr) return 0;
  return carrier == Carrier::memory ? use->bytes : carrier == Carrier::cpu ? use->cpu_s : use->forks;
}

double usual_rate(const UseHistory& history, const UseHistory::Generation& before, uint64_t unit) {
  const UseHistory::Generation* older = history.at(before.time_s - Suspicion::kUsualS);
  if (older == nullptr || older->time_s >= before.time_s) return 0;
  const double used = amount(before.find(unit), Carrier::cpu) - amount(older->find(unit), Carrier::cpu);
  return std::max(0.0, used / (before.time_s - older->time_s));
}

}  // namespace

const char* cause_name(Cause cause) {
  constexpr const char* kNames[] = {"none", "tripwire", "horizon", "score"};
  return kNames[static_cast<int>(cause)];
}

const char* carrier_name(Carrier carrier) {
  constexpr const char* kNames[] = {"memory", "cpu", "tasks"};
  return kNames[static_cast<int>(carrier)];
}

bool Suspicion::raise(Cause cause, double onset_s, double now_s) {
  if (active(now_s)) return false;
  cause_ = cause;
  onset_s_ = onset_s;
  raised_s_ = now_s;
  earlier_.time_s = -1;
  return true;
}

Finding Suspicion::look(Carrier carrier, double now_s, std::span<const UnitUse> uses, const UseHistory& history,
                        double least_growth) {
  Finding finding;
  if (earlier_.time_s < 0) {
    begun_s_ = now_s;
    last_growth_ = 0;
    earlier_.fill(now_s, uses);
    later_ = earlier_;
  }
  const UseHistory::Generation* before = history.at(onset_s_);
  if (before == nullptr) before = &earlier_;

  std::array<detect::Growth, kUnits> growth;
  const std::size_t count = std::min(uses.size(), growth.size());
  for (std::size_t i = 0; i < count; ++i) {
    growth[i] = {uses[i].unit, amount(&uses[i], carrier) - amount(before->find(uses[i].unit), carrier)};
  }
  const detect::Attribution who = detect::attribute({growth.data(), count});
  if (who.culprit == detect::Attribution::kNobody) {
    last_growth_ = 0;
    return finding;
  }
  const UnitUse& culprit = uses[who.culprit];
  finding.grows = true;
  finding.named = who.explains_half;
  finding.unit = culprit.unit;
  finding.share = who.share;
  if (who.runner_up != detect::Attribution::kNobody) finding.runner_up = uses[who.runner_up].unit;
  finding.runner_up_share = who.runner_up_share;
  finding.growth = growth[who.culprit].amount;
  const auto of_kind = [&](double UnitUse::*kind, double& grown) {
    double total = 0;
    for (const UnitUse& use : uses) {
      const UnitUse* const then = before->find(use.unit);
      const double more = use.*kind - (then != nullptr ? then->*kind : 0);
      if (use.unit == culprit.unit) grown = more;
      total += std::max(0.0, more);
    }
    return grown > total / 2;
  };
  finding.most_of_shared = of_kind(&UnitUse::shared_bytes, finding.shared_growth);
  finding.most_of_kernel = of_kind(&UnitUse::kernel_bytes, finding.kernel_growth);
  // Who was met twice at the top of its swing has not grown between.
  const bool again = last_unit_ == finding.unit && last_growth_ >= least_growth / 4 && finding.growth > last_growth_;
  last_unit_ = finding.unit, last_growth_ = finding.growth;
  finding.usual_cpu_per_s = usual_rate(history, *before, culprit.unit);
  const double seconds = now_s - earlier_.time_s;
  if (seconds < kShortestLookS) return finding;
  finding.growth_per_s = (amount(&culprit, carrier) - amount(earlier_.find(culprit.unit), carrier)) / seconds;
  if (now_s - later_.time_s >= kLookS) {
    earlier_ = later_;
    later_.fill(now_s, uses);
  }
  if (carrier == Carrier::memory && !again) return finding;
  finding.confirmed = finding.named && finding.growth_per_s > 0 && finding.growth >= least_growth;
  return finding;
}

double usual_cpu_per_s(const UseHistory& history, double onset_s, uint64_t unit) {
  const UseHistory::Generation* before = history.at(onset_s);
  return before != nullptr ? usual_rate(history, *before, unit) : 0;
}

double fastest_growth_per_s(std::span<const UnitUse> uses, const UseHistory::Generation* before, double now_s) {
  if (before == nullptr || now_s <= before->time_s) return 0;
  double most = 0;
  for (const UnitUse& use : uses)
    most = std::max(most, amount(&use, Carrier::memory) - amount(before->find(use.unit), Carrier::memory));
  return most / (now_s - before->time_s);
}

}  // namespace hosa
