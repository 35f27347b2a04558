#include "tools/hosa/tripwires.h"

#include <algorithm>

namespace hosa {
namespace {

template <class F>
void for_each_wire(F f) {
  for (std::size_t subject = 0; subject < HOSA_SUBJECTS; ++subject)
    for (std::size_t span = 0; span < HOSA_SPANS; ++span) f(subject, span);
}

bool raises(std::size_t subject, Tripwires::Suspected suspected) {
  return (subject == HOSA_FORKS) == (suspected == Tripwires::Suspected::tasks);
}

}  // namespace

void Tripwires::open(KernelSide& kernel, double now_s) {
  cpus_ = std::min<std::size_t>(kernel.cpu_slots(), kMostCpus);
  WindowLimits first;
  for_each_wire([&](std::size_t subject, std::size_t span) {
    first[subject][span] = bounds(subject, span).first;
    for (auto& of_cpu : limits_) of_cpu[subject][span] = first[subject][span];
  });
  kernel.set_limits(first);
  trial_since_s_ = now_s;
}

// What ended since the last look; kept or passed over.
void Tripwires::take(const KernelSide& kernel, bool keep) {
  for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
    for_each_wire([&](std::size_t subject, std::size_t span) {
      for (std::size_t bucket = 0; bucket < HOSA_BUCKETS; ++bucket) {
        uint32_t& seen = seen_[cpu][subject][span][bucket];
        const uint32_t ended = kernel.ended_windows(cpu, subject, span, bucket);
        if (ended == seen) continue;
        if (keep) calm_[cpu][subject][span].add(bucket, ended - seen);
        seen = ended;
      }
    });
  }
}

void Tripwires::learn_limits() {
  for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
    for_each_wire([&](std::size_t subject, std::size_t span) {
      const detect::WireBounds allowed = bounds(subject, span);
      const uint64_t learned = calm_[cpu][subject][span].limit(learned_s_) << HOSA_BUCKET_SHIFT(subject);
      limits_[cpu][subject][span] = std::clamp(learned, allowed.least, allowed.most);
    });
  }
}

void Tripwires::set(KernelSide& kernel) {
  for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
    for_each_wire([&](std::size_t subject, std::size_t span) {
      const uint64_t doubled = limits_[cpu][subject][span] << wires_[subject][span].doublings;
      kernel.set_limit(cpu, subject, span, std::min(doubled, bounds(subject, span).most));
    });
  }
}

void Tripwires::tripped(const hosa_event& event, double now_s) {
  Wire& wire = wires_[event.subject][event.span];
  wire.tripped_s = now_s;
  wire.pending = true;
}

void Tripwires::confirmed(Suspected suspected) {
  spoilt_ = true;
  for_each_wire([&](std::size_t subject, std::size_t span) {
    if (raises(subject, suspected)) wires_[subject][span].pending = false;
  });
}

void Tripwires::churned(KernelSide& kernel, Suspected suspected, double weight, double now_s) {
  bool changed = false;
  for_each_wire([&](std::size_t subject, std::size_t span) {
    Wire& wire = wires_[subject][span];
    if (!wire.pending || !raises(subject, suspected)) return;
    wire.pending = false;
    wire.tired = wire.tired * std::max(0.0, 1 - (now_s - wire.tired_s) / kQuietS) + weight;
    wire.tired_s = now_s;
    if (wire.tired < kTired || wire.doublings == kMostDoublings) return;
    ++wire.doublings;
    wire.tired = 0;
    changed = true;
  });
  if (changed) set(kernel);
}

void Tripwires::relax(KernelSide& kernel, double now_s) {
  bool changed = false;
  for_each_wire([&](std::size_t subject, std::size_t span) {
    Wire& wire = wires_[subject][span];
    if (wire.doublings == 0 || now_s - wire.tripped_s < kQuietS) return;
    --wire.doublings;
    wire.tripped_s = now_s;
    changed = true;
  });
  if (changed) set(kernel);
}

void Tripwires::learn(KernelSide& kernel, double now_s, bool calm) {
  relax(kernel, now_s);
  spoilt_ = spoilt_ || !calm;
  const double trial_s = now_s - trial_since_s_;
  if (trial_s < kTrialS) return;
  take(kernel, !spoilt_);
  if (!spoilt_) learned_s_ += trial_s;
  trial_since_s_ = now_s;
  spoilt_ = !calm;
  if (learned_s_ >= detect::kForgetAfterS) {
    learned_s_ /= 2;
    for (auto& cpu : calm_)
      for (auto& subject : cpu)
        for (detect::WireHistogram& wire : subject) wire.halve();
  }
  if (learned_s_ < detect::kLearnedS) return;
  learn_limits();
  set(kernel);
}

Tripwires::Range Tripwires::range(std::size_t subject, std::size_t span) const {
  const int doublings = wires_[subject][span].doublings;
  Range range{limits_[0][subject][span], limits_[0][subject][span]};
  for (std::size_t cpu = 0; cpu < cpus_; ++cpu) {
    range.least = std::min(range.least, limits_[cpu][subject][span]);
    range.most = std::max(range.most, limits_[cpu][subject][span]);
  }
  const uint64_t most = bounds(subject, span).most;
  return {std::min(range.least << doublings, most), std::min(range.most << doublings, most)};
}

}  // namespace hosa
