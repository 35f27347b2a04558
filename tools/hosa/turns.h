// The dear senses, in turns: system-call mix and, where it needs a tracepoint, brk. When calm a turn of one tick each
// minute, from level 1 on all the time; never beside so many tasks that attaching itself takes long (findings 4:
// 278 ms beside 3,000 processes), never while shed.
#pragma once
#include "detect/entropy.h"
#include "tools/hosa/kernel_side.h"

namespace hosa {

class Turns {
 public:
  static constexpr double kEveryS = 60, kLongestS = 10, kMostTasks = 1500;
  // Each reading. wanted: level 1 or more. The figures of a turn are there when it ends.
  void step(KernelSide& kernel, double now_s, bool wanted, bool allowed, double tasks);

  bool measured() const { return taken_ > 0; }
  uint64_t taken() const { return taken_; }  // turns so far
  double syscall_entropy_bits() const { return entropy_bits_; }
  double syscalls_per_s() const { return syscalls_per_s_; }
  double brk_per_s() const { return brk_per_s_; }

 private:
  void begin(KernelSide& kernel, double now_s);
  void end(KernelSide& kernel, double now_s);

  KernelSide::SyscallCounts before_{}, now_{};
  uint64_t brk_before_ = 0, brk_observed_before_ = 0;
  double begun_s_ = -1, ended_s_ = 0;
  double entropy_bits_ = 0, syscalls_per_s_ = 0, brk_per_s_ = 0;
  uint64_t taken_ = 0;
};

}  // namespace hosa
