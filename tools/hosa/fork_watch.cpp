#include "tools/hosa/fork_watch.h"

#include <algorithm>

#include "loader/sys/text.h"

namespace hosa {

double ForkWatch::read_tasks() const {
  char buffer[32];
  const auto text = pids_.read(buffer);
  const auto tasks = text ? to_number(trim(*text)) : std::nullopt;
  return tasks ? static_cast<double>(*tasks) : -1;
}

bool ForkWatch::begin(const Fd& cgroup, double now_s, const TaskCounts& machine, double before) {
  pids_ = KernelText::open(cgroup, "pids.current");
  first_ = tasks_ = read_tasks();
  before_ = before >= 0 ? std::min(before, first_) : first_;
  first_machine_ = static_cast<double>(machine.total);
  births_per_s_ = share_ = 0;
  begun_s_ = grown_s_ = now_s;
  due_s_ = first_ >= 0 ? now_s + kStepS : -1;
  return waits();
}

ForkWatch::Answer ForkWatch::look(double now_s, const TaskCounts& machine, double least_running) {
  const double tasks = read_tasks();
  const double grown = tasks - first_, of_all = std::max(static_cast<double>(machine.total) - first_machine_, grown);
  due_s_ = -1;
  if (tasks > tasks_) grown_s_ = now_s;
  tasks_ = tasks;
  if (tasks < 0 || now_s <= begun_s_) return Answer::unknown;
  births_per_s_ = grown / (now_s - begun_s_);
  share_ = of_all > 0 ? grown / of_all : 0;
  const bool runs = static_cast<double>(machine.running) >= least_running;
  if (births() >= kBirths && runs && share_ > 0.5) return Answer::storm;
  if (grown > 0 && births() >= 2 * kBirths) return Answer::unknown;  // they sleep, or others are born as well
  if (now_s - grown_s_ >= kStillS || now_s - begun_s_ >= kPatienceS) return Answer::unknown;
  due_s_ = now_s + kStepS;
  return Answer::wait;
}

}  // namespace hosa
