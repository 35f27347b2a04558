// ForkWatch: does the cgroup that a record of forks names fill the machine with tasks that want to run? Two texts each
// 12 ms answer that: how many tasks it has, and how many the machine has and runs. Nobody is listed: a census among the
// children of a storm reads them one by one, and two of them are needed, while each hundredth of a second makes more
// (lab forks on one CPU of 125 MIPS: named 0.3 s after the onset with the memory controller, 0.9 s without).
//
// What it cannot tell (tasks that sleep, a cgroup without the pids controller, the root's), a census finds out.
#pragma once
#include "loader/sys/fd.h"
#include "proprioception/kernel_stat.h"
#include "proprioception/kernel_text.h"

namespace hosa {

class ForkWatch {
 public:
  static constexpr double kStepS = 0.012;  // a storm of 500/s has six more
  // Nobody born for so long: it is over. And a 125 MIPS board makes its 32 children in 0.25 s.
  static constexpr double kStillS = 0.05, kPatienceS = 0.4;
  // Births since onset while as many want to run: half of what makes a storm of tasks of which nobody knows whether
  // they run (look.cpp). 64 take 0.5 s of a 125 MIPS board, in which a bystander waits.
  static constexpr double kBirths = 32;
  enum class Answer : uint8_t { wait, storm, unknown };

  // False: its tasks cannot be counted. before: how many it had before the onset; negative: not known, and what was
  // born before the first look is not counted.
  bool begin(const Fd& cgroup, double now_s, const TaskCounts& machine, double before);
  bool waits() const { return due_s_ >= 0; }
  double due_s() const { return due_s_; }
  // At due_s() or later. Anything but `wait` ends the watch. least_running: so many have to want a CPU.
  Answer look(double now_s, const TaskCounts& machine, double least_running);

  double births() const { return tasks_ - before_; }
  double births_per_s() const { return births_per_s_; }
  double share() const { return share_; }  // of the tasks that the machine has more than at the first look

 private:
  double read_tasks() const;

  KernelText pids_;
  double first_ = 0, first_machine_ = 0, before_ = 0, tasks_ = 0;
  double begun_s_ = 0, grown_s_ = 0, due_s_ = -1, births_per_s_ = 0, share_ = 0;
};

}  // namespace hosa
