#include "actuate/holding.h"

#include <algorithm>
#include <limits>

namespace hosa {

const char* stage_name(Stage stage) {
  switch (stage) {
    case Stage::insured: return "insured";
    case Stage::bucket: return "bucket";
    case Stage::watching: return "watching";
    case Stage::done: return "done";
  }
  return "?";
}

double Holding::seconds_to_failure() const {
  return growth_per_s_ > 0 ? room_ / growth_per_s_ : std::numeric_limits<double>::infinity();
}

void Holding::enter(Stage stage, const Observation& o) {
  stage_ = stage;
  entered_s_ = o.now_s;
  look_s_ = o.now_s;
  look_bytes_ = o.bytes;
}

// Growth per second over about a second: long enough to average pulses of a quarter second.
void Holding::measure(const Observation& o) {
  room_ = o.room_bytes;
  bytes_ = o.bytes;
  const double span = o.now_s - slope_s_;
  if (span < 1.0 && !(span >= 0.1 && growth_per_s_ == 0)) return;
  const double latest = (o.bytes - slope_bytes_) / span;
  growth_per_s_ = latest;
  if (span < 1.0) return;
  slope_s_ = o.now_s;
  slope_bytes_ = o.bytes;
}

Orders Holding::insurance_line(const Observation& o) {
  Orders orders;
  if (!o.has_line) return orders;
  orders.set_line = true;
  orders.line_bytes = line_ = o.current_bytes + insurance_;
  line_written_s_ = o.now_s;
  return orders;
}

// How far the unit may grow because it has been that large before.
double Holding::expected_growth(const Observation& o) const {
  return std::min(kKnownShare * o.known_bytes - o.bytes, o.available_bytes - o.quarter_bytes);
}

Orders Holding::insure(const Observation& o) {
  if (o.now_s - freed_s_ < kRelapseS) hysteresis_ = std::min(2 * hysteresis_, kLongestHysteresisS);
  base_ = bytes_ = slope_bytes_ = o.bytes;
  slope_s_ = o.now_s;
  growth_per_s_ = 0;
  insured_s_ = o.now_s;
  room_ = o.room_bytes;
  insurance_ = o.room_bytes * o.share / 2;
  const double expected = o.share >= 1 ? std::min(expected_growth(o) / kUsedShare, o.room_bytes) : 0;
  expected_ = expected > insurance_;
  if (expected_) insurance_ = expected;
  severe_ = false;
  enter(Stage::insured, o);
  return insurance_line(o);
}

Orders Holding::release(double now_s) {
  Orders orders;
  orders.pulse = bucket_.frozen() ? Pulse::thaw : Pulse::none;
  orders.close_room = stage_ == Stage::bucket;
  orders.drop_line = stage_ == Stage::insured || stage_ == Stage::bucket;
  bucket_.start(now_s);
  stage_ = Stage::watching;
  entered_s_ = freed_s_ = now_s;
  severe_ = false;
  return orders;
}

Orders Holding::while_insured(const Observation& o) {
  // Somebody else has used up the room that its known size was promised.
  if (expected_ && o.available_bytes < o.quarter_bytes) {
    expected_ = false;
    base_ = o.bytes;
    insurance_ = o.room_bytes * o.share / 2;
    return insurance_line(o);
  }
  const double horizon = o.warming ? kWarmupHorizonS : kHorizonS;
  const bool nearly_used = o.bytes - base_ >= kUsedShare * insurance_;
  if (nearly_used && seconds_to_failure() < horizon && (o.detector_agrees || o.warming)) {
    enter(Stage::bucket, o);
    expected_ = false;
    bucket_.start(o.now_s);
    slope_s_ = o.now_s;  // level 4 is judged by growth measured while the bucket runs
    slope_bytes_ = o.bytes;
    growth_per_s_ = 0;
    Orders orders;
    orders.open_room = true;
    return orders;
  }
  if (o.now_s - look_s_ < kInsuranceLookS) return {};
  // After a relapse the insurance, too, stays for the longer time.
  const bool still = o.bytes - look_bytes_ < kInsuranceGrowth * insurance_;
  const bool waited = o.now_s - entered_s_ >= std::max(kInsuranceLookS, hysteresis_);
  look_s_ = o.now_s;
  look_bytes_ = o.bytes;
  return still && waited ? release(o.now_s) : Orders{};
}

// Level 4 needs two seconds in a row that each would use up the room in 15 s (a burst is not a rate), or a machine that
// is nearly full; ten seconds without either lead back to level 3.
void Holding::judge_severity(const Observation& o) {
  if (!o.room_ready || o.warming || o.now_s - judged_s_ < 1.0) return;
  judged_s_ = o.now_s;
  const bool full = o.available_bytes < 2 * o.reserve_bytes;
  const bool fast = seconds_to_failure() < kSevereHorizonS;
  if (full || (fast && was_fast_))
    severe_s_ = o.now_s, severe_ = true;
  else if (o.now_s - severe_s_ > kSevereS)
    severe_ = false;
  was_fast_ = fast;
}

Orders Holding::while_bucket(const Observation& o) {
  judge_severity(o);
  const double pool = std::max(0.0, o.room_bytes) * o.share;
  const double calm_pool = std::max(0.0, o.room_bytes - o.reserve_bytes) * o.share;
  fill_ = severe_ ? pool / kFillHorizonS / 4 : calm_pool / kFillHorizonS;
  if (severe_ && o.available_bytes < o.reserve_bytes) fill_ = 0;
  Orders orders;
  if (o.has_line && o.now_s - line_written_s_ >= kRewriteS) {
    const double line = o.current_bytes + pool / 2;
    line_written_s_ = o.now_s;
    if (line > line_) {
      orders.set_line = true;
      orders.line_bytes = line_ = line;
    }
  }
  return orders;
}

Orders Holding::step(const Observation& o) {
  const double growth = o.bytes - bytes_;
  measure(o);
  if (stage_ == Stage::done) return {};
  if (stage_ == Stage::watching) {
    if (o.now_s - freed_s_ >= kRelapseS) stage_ = Stage::done;
    return {};
  }
  if (o.gone) return release(o.now_s);
  if (stage_ == Stage::insured) return while_insured(o);

  Orders orders = while_bucket(o);
  if (!o.room_ready) return orders;  // the keeper is still moving the growers in
  orders.pulse = bucket_.step(o.now_s, growth, fill_, o.freeze);
  const double quiet_since = std::max(bucket_.quiet_since_s(), entered_s_);
  orders.give_cpu = o.now_s - quiet_since >= kCpuBackS;
  if (o.now_s - quiet_since < hysteresis_) return orders;
  // It runs and needs no freeze: one step back, to an insurance counted from here.
  severe_ = false;
  orders.close_room = true;
  base_ = o.bytes;
  insurance_ = o.room_bytes * o.share / 2;
  enter(Stage::insured, o);
  if (o.has_line && o.current_bytes + insurance_ > line_) {
    orders.set_line = true;
    orders.line_bytes = line_ = o.current_bytes + insurance_;
    line_written_s_ = o.now_s;
  }
  return orders;
}

}  // namespace hosa
