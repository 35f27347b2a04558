// CpuLimits: the limit files of a culprit that is held for its CPU time or its tasks: cpu.weight, cpu.max and pids.max.
// Where the cpu controller is off on the way to its cgroup the keeper is asked to switch it on. Journalled, never
// looser than what stood there before, given back by drop().
#pragma once
#include "tools/hosa/cpu_episode.h"

namespace hosa {

class CpuLimits {
 public:
  // cpu.weight 1. False: it cannot be written.
  bool lower_weight(const HoldContext& c, const CpuEpisode& e);
  void set_quota(const HoldContext& c, const CpuEpisode& e);
  void drop_quota(const HoldContext& c, const CpuEpisode& e) { give_back(c, e, quota_); }
  // Tasks: half of what is left of the machine's task ids may still be born.
  void limit_tasks(const HoldContext& c, CpuEpisode& e);
  void drop(const HoldContext& c, const CpuEpisode& e);  // weight and tasks

  // False: the keeper does not answer.
  bool ask_for_controller(const HoldContext& c, const CpuEpisode& e);
  bool asked(uint32_t id) const { return asked_id_ != 0 && asked_id_ == id; }
  void answered(const HoldContext& c, const CpuEpisode& e, const KeeperAnswer& answer);
  // S4, once a second, soon again after a loss, at once when somebody wrote (LimitWatch): daemon-reload sets pids.max
  // back and takes the controller away, and with it weight and quota.
  void keep(const HoldContext& c, const CpuEpisode& e);
  void forget() { weight_.entry = quota_.entry = tasks_.entry = -1; }  // the keeper gave them back

  // Limits were lost a moment ago, and more may be: nothing that takes long is begun.
  bool repairs(double now_s) const { return now_s - lost_s_ < kRepairS; }
  double pace_s(double now_s) const { return repairs(now_s) ? kKeepSoonS : kKeepS; }

  bool tasks_limited() const { return tasks_.entry >= 0; }
  double tasks_limited_s() const { return limited_s_; }

 private:
  struct File {
    int entry = -1;    // in the journal
    int rewrites = 0;  // in this episode
  };
  void give_back(const HoldContext& c, const CpuEpisode& e, File& file);
  static void watch(const HoldContext& c, const CpuEpisode& e);

  // daemon-reload sets pids.max back first and takes the cpu controller a tenth of a second later; each second without
  // cpu.weight is one in which 125 processes of a fork storm kept a neighbour waiting (6.1, one CPU: 997 ms), and a
  // look at its thousand processes meanwhile lasted 6 s.
  static constexpr double kKeepS = 1.0, kKeepSoonS = 0.1, kRepairS = 2.0;

  File weight_, quota_, tasks_;
  int switched_again_ = 0;
  uint32_t asked_id_ = 0;
  double kept_s_ = 0, lost_s_ = -1e9, limited_s_ = -1e9;
};

}  // namespace hosa
