#include "tools/hosa/work_indices.h"

#include <algorithm>
#include <string_view>

namespace hosa {
namespace {

constexpr double kBelievedS = 300;
constexpr uint64_t kTurnsBelieved = 5;
constexpr double kLeastBusy = 0.05;  // of the CPUs: below, a cron job is most of what is done
constexpr double kLeastConnections = 1, kLeastPackets = 20;
constexpr double kLongestStepS = 0.5;
constexpr double kHourS = 3600;

}  // namespace

void WorkIndices::open(std::span<const detect::Dimension> dimensions) {
  constexpr std::string_view kNames[kParts] = {"cpu_busy",       "memory_available", "forks",      "execs",
                                               "connections_in", "connections_out",  "packets_in", "packets_out"};
  for (std::size_t part = 0; part < kParts; ++part) {
    where_[part] = SIZE_MAX;
    for (std::size_t j = 0; j < dimensions.size(); ++j)
      if (kNames[part] == dimensions[j].name) where_[part] = j;
  }
}

double WorkIndices::value(const detect::Verdict& verdict, Part part) const {
  return where_[part] < verdict.n ? verdict.value[where_[part]] : 0;
}

void WorkIndices::learn(const detect::Verdict& last, double dt) {
  for (std::size_t part = 0; part < kParts; ++part) {
    now_[part] = value(last, static_cast<Part>(part));
    lately_[part] += lately_decay_.weight(dt) * (now_[part] - lately_[part]);
  }
  distance_ = last.tempered;
  spreading_.add(distance_, now_[packets_out], spreading_decay_.weight(dt));
  if (last.level > 0 || last.warming) return;
  calm_s_ += dt;
  const double a = std::max(dt / calm_s_, calm_decay_.weight(dt));
  for (std::size_t part = 0; part < kParts; ++part) calm_[part] += a * (now_[part] - calm_[part]);
}

double WorkIndices::efficiency() const {
  if (calm_s_ < kBelievedS || lately_[busy] < kLeastBusy) return 1;
  if (calm_[taken] >= kLeastConnections)
    return detect::work_efficiency(lately_[taken], lately_[busy], calm_[taken], calm_[busy]);
  const double calm = calm_[packets_in] + calm_[packets_out];
  if (calm < kLeastPackets) return 1;
  return detect::work_efficiency(lately_[packets_in] + lately_[packets_out], lately_[busy], calm, calm_[busy]);
}

double WorkIndices::propagation() const {
  if (calm_s_ < kBelievedS) return 0;
  detect::PropagationScale scale;
  scale.reference[0] = std::max(scale.reference[0], 2 * calm_[made]);
  scale.reference[2] = std::max(scale.reference[2], 2 * (calm_[births_fork] + calm_[births_exec]));
  scale.weight[1] = 0;
  return detect::propagation_index({now_[made], 0, now_[births_fork] + now_[births_exec], spreading_.value()}, scale);
}

double WorkIndices::excess(double dt) {
  hour_s_ += dt;
  hour_busy_ += dt * now_[busy];
  hour_used_ += dt * (1 - now_[available]);
  if (hour_s_ >= kHourS) {
    hourly_busy_[hours_ % kHours] = hour_busy_ / hour_s_;
    hourly_used_[hours_++ % kHours] = hour_used_ / hour_s_;
    hour_s_ = hour_busy_ = hour_used_ = 0;
  }
  if (hours_ < kHours || where_[busy] == SIZE_MAX || where_[available] == SIZE_MAX) return 0;
  const double spare[] = {detect::excess_provisioning(hourly_busy_, 1), detect::excess_provisioning(hourly_used_, 1)};
  return detect::excess_provisioning(spare);
}

void WorkIndices::step(const detect::Verdict& last, double mix_bits, uint64_t turns, double now_s,
                       detect::Context& context) {
  const double dt = last_s_ < 0 ? 0 : std::clamp(now_s - last_s_, 0.0, kLongestStepS);
  last_s_ = now_s;
  if (dt > 0) {
    learn(last, dt);
    context.excess = excess(dt);
  }
  if (turns != turns_) {
    turns_ = turns;
    mix_bits_ = mix_bits;
    if (last.level == 0 && !last.warming) {
      const double a = std::max(1 / static_cast<double>(++turns_learned_), 1.0 / 60);  // turns: an hour's
      calm_mix_ += a * (mix_bits - calm_mix_);
    }
  }
  context.entropy_change = turns_learned_ >= kTurnsBelieved ? mix_bits_ - calm_mix_ : 0;
  context.work_efficiency = efficiency();
  context.propagation = propagation();
}

}  // namespace hosa
