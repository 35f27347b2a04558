// Tripwires: the limits in the probes' windows, one for each window and CPU, learned from this machine's own calm
// (detect/wire.h). Ten seconds of windows are kept apart and join what was learned only if nothing was held and nobody
// named in them: what goes wrong now does not become normal by lasting a moment.
//
// Learning takes minutes. Until then, and whenever life becomes livelier, too many trips that nobody's net growth
// confirms double their wire's limits (twice at most), and a minute without one halves them again: a wire that trips
// each second is a census each second (6.1, one CPU of 125 MIPS: a bystander's p99 7 ms instead of 0.5). Too many is by
// what they cost: four trips a second that two preads dismiss (trip_check.h; of one process there are hardly two,
// trip_quiet.h), or one in 12 s that took a whole look. Not each of them: at 50 MB/s no window of 10 ms holds the limit
// that was doubled twice, and beside two compilers (half a trip a second was too many once) such leaks went unseen.
#pragma once
#include <array>

#include "detect/wire.h"
#include "tools/hosa/kernel_side.h"

namespace hosa {

class Tripwires {
 public:
  static constexpr std::size_t kMostCpus = 64;  // beyond, the first limits stay
  static constexpr double kTrialS = 10, kQuietS = 60;
  static constexpr int kMostDoublings = 2;
  static constexpr double kDismissed = 0.125, kLookedFor = 6, kTired = 30;  // weights; their sum, fading in kQuietS

  // The first limits on all CPUs.
  void open(KernelSide& kernel, double now_s);
  // Each tick. calm: level 0, nobody held.
  void learn(KernelSide& kernel, double now_s, bool calm);
  void tripped(const hosa_event& event, double now_s);
  // The suspicion that a wire's trips raise: memory, or, of forks, tasks.
  enum class Suspected : uint8_t { memory, tasks };
  // It has ended with a name: the windows of these seconds are not this machine's calm.
  void confirmed(Suspected suspected);
  // It has ended without one. weight: kDismissed or kLookedFor.
  void churned(KernelSide& kernel, Suspected suspected, double weight, double now_s);

  double learned_s() const { return learned_s_; }
  // The least and the most limit of all CPUs in force.
  struct Range {
    uint64_t least = 0, most = 0;
  };
  Range range(std::size_t subject, std::size_t span) const;

 private:
  using Seen = uint32_t[HOSA_SUBJECTS][HOSA_SPANS][HOSA_BUCKETS];
  struct Wire {
    int doublings = 0;
    bool pending = false;  // tripped since its last suspicion ended
    double tripped_s = 0;
    double tired = 0, tired_s = 0;  // the weights of its churn, as they were then
  };
  // Of all CPUs alike; beyond eight their number no longer matters.
  detect::WireBounds bounds(std::size_t subject, std::size_t span) const {
    return detect::wire_bounds(subject, span, cpus_);
  }
  void take(const KernelSide& kernel, bool keep);
  void learn_limits();
  void relax(KernelSide& kernel, double now_s);
  void set(KernelSide& kernel);

  std::array<std::array<std::array<detect::WireHistogram, HOSA_SPANS>, HOSA_SUBJECTS>, kMostCpus> calm_;
  std::array<Seen, kMostCpus> seen_{};
  std::array<std::array<std::array<uint64_t, HOSA_SPANS>, HOSA_SUBJECTS>, kMostCpus> limits_{};  // undoubled
  Wire wires_[HOSA_SUBJECTS][HOSA_SPANS];
  std::size_t cpus_ = 0;
  double learned_s_ = 0, trial_since_s_ = 0;
  bool spoilt_ = true;  // the first trial: the start itself
};

}  // namespace hosa
