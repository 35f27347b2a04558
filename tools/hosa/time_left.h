// Time left: per exhaustible resource, seconds until it is gone at its present pace (detect/horizon.h). Memory is what
// is available less the reserve; swap what is free of it; tasks what kernel.pid_max and threads-max leave; open files
// what fs.file-max leaves (since Linux 5.0 it is no limit on most machines, and the answer never). Free space of disks
// is not read: statfs() of a file system that hangs would take the loop with it.
#pragma once
#include "detect/horizon.h"
#include "tools/hosa/json.h"

namespace hosa {

struct TimeLeft {
  double memory_s = detect::kInfinity, swap_s = detect::kInfinity, tasks_s = detect::kInfinity,
         open_files_s = detect::kInfinity;
  double least_s() const;
  // "ttf":{"memory":S,...}; null where nothing shrinks.
  void describe(JsonLine& line) const;
};

class Exhaustion {
 public:
  struct Left {
    double memory_bytes = 0, swap_bytes = 0, tasks = 0, open_files = 0;  // not finite: not known
  };
  const TimeLeft& step(const Left& left, double now_s);
  const TimeLeft& left() const { return left_; }

 private:
  detect::Horizon memory_, swap_, tasks_, open_files_;
  TimeLeft left_;
};

}  // namespace hosa
