// From a burst of forks to a name: a storm, or a shell's pipeline?
#include <algorithm>

#include "tools/hosa/agent.h"

namespace hosa {
namespace {

// Five births in 10 ms are a shell's pipeline as well: a storm has more 12 ms later, and twice as many after 0.4 s.
constexpr double kMoreTasks = 6, kBriefS = 0.4;
// Births since onset that make a storm of a burst; half of them where so many want to run at once.
constexpr double kStormTasks = 2 * ForkWatch::kBirths;
constexpr double kRunningPerCpu = 4;  // beside that many a machine of 16 CPUs builds as it is meant to

}  // namespace

// A burst of forks is a storm if there are more tasks now than at the last reading; what is born and gone again is not.
bool Agent::check_forks(double now_s) {
  if (fork_watch_.waits()) return watch_forks(now_s);
  forks_due_s_ = -1;
  const TaskCounts tasks = senses_.tasks_now();
  note_crowd(tasks, now_s);
  if (tasks.total == 0 || static_cast<double>(tasks.total) - moment_->tasks >= kMoreTasks) {
    tasks_before_ = moment_->tasks;
    if (!begin_fork_watch(tasks, now_s)) (void)task_suspicion_.raise(Cause::tripwire, forks_onset_s_, now_s);
    return false;
  }
  dismiss_forks(now_s);
  return false;
}

// False: its cgroup is not known yet, or is not what counts there (everybody in the root cgroup).
bool Agent::begin_fork_watch(const TaskCounts& tasks, double now_s) {
  const Unit* unit = roots_.cgroup != nullptr ? census_.find(forks_cgroup_) : nullptr;
  if (unit == nullptr || unit->is_tree()) return false;
  const auto cgroup = open_cgroup(*roots_.cgroup, unit->path.view(), unit->id);
  if (!cgroup) return false;
  // Where processes were counted, and not the controller's tasks, what it had before is not to be compared.
  const UseHistory::Generation* history = census_.by_processes() ? nullptr : history_.at(forks_onset_s_);
  const UnitUse* before = history != nullptr ? history->find(unit->id) : nullptr;
  if (!fork_watch_.begin(*cgroup, now_s, tasks, before != nullptr ? before->forks : -1)) return false;
  forks_due_s_ = fork_watch_.due_s();
  return true;
}

bool Agent::watch_forks(double now_s) {
  const double least_running = std::max(ForkWatch::kBirths, kRunningPerCpu * machine_.online_cpus);
  const TaskCounts tasks = senses_.tasks_now();
  note_crowd(tasks, now_s);
  const ForkWatch::Answer answer = fork_watch_.look(now_s, tasks, least_running);
  forks_due_s_ = fork_watch_.due_s();
  if (answer == ForkWatch::Answer::wait) return false;
  if (answer == ForkWatch::Answer::storm) return hold_storm(), true;
  if (static_cast<double>(tasks.total) < tasks_before_ + 2 * kMoreTasks)
    dismiss_forks(now_s);
  else
    (void)task_suspicion_.raise(Cause::tripwire, forks_onset_s_, now_s);
  return false;
}

void Agent::dismiss_forks(double now_s) {
  ++dismissed_;
  tripwires_.churned(senses_.kernel(), Tripwires::Suspected::tasks, Tripwires::kDismissed, now_s);
}

void Agent::hold_storm() {
  moment_ = &senses_.later();
  Finding finding;
  finding.grows = finding.named = finding.confirmed = true;
  finding.unit = forks_cgroup_;
  finding.share = fork_watch_.share();
  finding.runner_up_share = 1 - finding.share;
  finding.growth = fork_watch_.births();
  finding.growth_per_s = fork_watch_.births_per_s();
  finding.usual_cpu_per_s = usual_cpu_per_s(history_, forks_onset_s_, finding.unit);
  hold_cpu(finding, Carrier::tasks, Cause::tripwire);
  tripwires_.confirmed(Tripwires::Suspected::tasks);
}

void Agent::look_for_tasks() {
  // Nobody starts a look of 3 s by starting a build.
  const bool brief = task_suspicion_.age_s(moment_->now_s) > kBriefS && moment_->tasks < tasks_before_ + 2 * kMoreTasks;
  if (!task_suspicion_.active(moment_->now_s) || brief) {
    if (task_suspicion_.cause() != Cause::none)
      tripwires_.churned(senses_.kernel(), Tripwires::Suspected::tasks, Tripwires::kLookedFor, moment_->now_s);
    return task_suspicion_.drop();
  }
  const double least = moment_->running >= kStormTasks / 2 ? kStormTasks / 2 : kStormTasks;
  const Finding finding = task_suspicion_.look(Carrier::tasks, moment_->now_s, candidates(), history_, least);
  if (!finding.confirmed) return;
  hold_cpu(finding, Carrier::tasks, task_suspicion_.cause());
  tripwires_.confirmed(Tripwires::Suspected::tasks);
  task_suspicion_.drop();
}

}  // namespace hosa
