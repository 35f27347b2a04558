// The indices beside the distance (detect/indices.h), formed of what the state vector shows and of this machine's own
// calm, for the detector's Context: the regimes +3, +5 and -2 and habituation go by them. Each reading once; no
// allocation.
//
//   dH   the mix of system calls now less its mean in calm, bits; 0 until five turns (turns.h) were taken
//   WEI  work per CPU time over 10 s against calm; work is connections taken where calm has one a second, else packets
//        where it has twenty; 1 where it has neither, and while the CPUs do next to nothing
//   PBI  connections out, births, correlation of D with packets out; references are twice the calm rate, at least those
//   of
//        detect/indices.h (a busy proxy spreads nothing). Destinations are not told apart when calm: their weight is 0
//   EPI  of CPU time and memory, whichever has less to spare, over 24 windows of an hour; 0 until all were seen
// Calm is level 0 after the warm-up; its means forget in 15 min and are used after 5.
#pragma once
#include "detect/detector.h"

namespace hosa {

class WorkIndices {
 public:
  void open(std::span<const detect::Dimension> dimensions);
  // The verdict before this reading; mix_bits of the last turn, whose count tells whether it is a new one.
  void step(const detect::Verdict& last, double mix_bits, uint64_t turns, double now_s, detect::Context& context);

 private:
  enum Part : uint8_t { busy, available, births_fork, births_exec, taken, made, packets_in, packets_out, kParts };
  static constexpr std::size_t kHours = 24;
  double value(const detect::Verdict& verdict, Part part) const;
  void learn(const detect::Verdict& last, double dt);
  double efficiency() const;
  double propagation() const;
  double excess(double dt);

  std::array<std::size_t, kParts> where_{};
  std::array<double, kParts> now_{}, lately_{}, calm_{};
  double calm_s_ = 0, last_s_ = -1, distance_ = 0;
  double mix_bits_ = 0, calm_mix_ = 0;
  uint64_t turns_ = 0, turns_learned_ = 0;
  detect::RunningCorrelation spreading_;
  double hour_s_ = 0, hour_busy_ = 0, hour_used_ = 0;
  std::size_t hours_ = 0;
  std::array<double, kHours> hourly_busy_{}, hourly_used_{};
  detect::Decay lately_decay_{0.01};          // 10 s
  detect::Decay calm_decay_{1.0 / 9000};      // 15 min
  detect::Decay spreading_decay_{1.0 / 300};  // 30 s
};

}  // namespace hosa
