#include "actuate/cpu_holding.h"

#include <algorithm>

namespace hosa {
namespace {

double read_at(const CpuObservation& o) {
  return o.read_s > 0 ? o.read_s : o.now_s;
}

}  // namespace

CpuOrders CpuHolding::hold(const CpuObservation& o, double cpu_per_s_at_onset) {
  if (o.now_s - freed_s_ < kRelapseS) hysteresis_ = std::min(2 * hysteresis_, kLongestHysteresisS);
  stage_ = CpuStage::weight;
  entered_s_ = pushed_s_ = o.now_s;
  look_s_ = read_at(o);
  look_cpu_s_ = o.cpu_s;
  look_waiting_s_ = o.own_waiting_s;
  look_throttled_ = o.throttled;
  look_refused_ = o.refused;
  onset_rate_ = cpu_per_s_at_onset;
  CpuOrders orders;
  orders.lower_weight = true;
  return orders;
}

// Looked at once a second: CPU time of a cgroup has 10 ms steps where it is summed from /proc.
bool CpuHolding::pushes(const CpuObservation& o) {
  const double seconds = read_at(o) - look_s_;
  if (seconds < 1.0) return false;
  const double rate = (o.cpu_s - look_cpu_s_) / seconds;
  const bool throttled = o.throttled > look_throttled_;
  const bool known = o.own_waiting_s >= 0 && look_waiting_s_ >= 0;
  // Where it has no cgroup of its own to say so, whoever waits on a machine whose storm is SCHED_IDLE is that storm.
  const bool starved = known ? o.own_waiting_s - look_waiting_s_ > kStarved * seconds : o.waiting_share > kStarved;
  look_s_ = read_at(o);
  look_cpu_s_ = o.cpu_s;
  look_throttled_ = o.throttled;
  look_waiting_s_ = o.own_waiting_s;
  const bool refused = o.refused > look_refused_;
  look_refused_ = o.refused;
  if (starved || refused) return true;
  if (stage_ == CpuStage::quota) return throttled && rate > kQuotaUsed * o.quota_per_s;
  return rate > std::max(onset_rate_ / 2, kLeastPush);
}

CpuOrders CpuHolding::release(double now_s) {
  CpuOrders orders;
  orders.drop_quota = stage_ == CpuStage::quota;
  orders.restore_weight = stage_ == CpuStage::quota || stage_ == CpuStage::weight;
  stage_ = CpuStage::watching;
  freed_s_ = now_s;
  return orders;
}

CpuOrders CpuHolding::step(const CpuObservation& o) {
  if (stage_ == CpuStage::done) return {};
  if (stage_ == CpuStage::watching) {
    if (o.now_s - freed_s_ >= kRelapseS) stage_ = CpuStage::done;
    return {};
  }
  if (o.gone) return release(o.now_s);
  if (pushes(o)) pushed_s_ = o.now_s;
  CpuOrders orders;
  if (stage_ == CpuStage::weight && o.has_quota && o.waiting_share > kHarm && pushed_s_ - entered_s_ >= kEscalateS) {
    stage_ = CpuStage::quota;
    entered_s_ = pushed_s_ = o.now_s;
    orders.set_quota = true;
    return orders;
  }
  if (o.now_s - std::max(pushed_s_, entered_s_) < hysteresis_) return orders;
  if (stage_ == CpuStage::weight) return release(o.now_s);
  stage_ = CpuStage::weight;
  entered_s_ = pushed_s_ = o.now_s;
  orders.drop_quota = true;
  return orders;
}

}  // namespace hosa
