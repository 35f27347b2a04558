// ProcessesBefore: what each process had used a moment ago, so that within a unit the one that does most can be named.
#pragma once
#include <span>

#include "proprioception/process_table.h"

namespace hosa {

class ProcessesBefore {
 public:
  static constexpr double kApartS = 1;

  // The list of a pass that is about to be replaced by a new one; kept if what is kept is older than kApartS.
  void keep(const ProcessList& processes, double read_s);
  // Since then; of a process that was not there, all it ever used.
  double seconds_to(double now_s) const { return now_s - read_s_; }
  double pages_grown(const ProcessInfo& now) const;
  double cpu_ticks_used(const ProcessInfo& now) const;

 private:
  struct Row {
    int pid = 0;
    uint64_t start_ticks = 0, cpu_ticks = 0, own_pages = 0;
  };
  Row find(const ProcessInfo& now) const;

  FixedVector<Row, kMaxProcesses> rows_;  // ascending by pid
  double read_s_ = -1e9;
};

}  // namespace hosa
