#include "tools/hosa/time_left.h"

#include <algorithm>

namespace hosa {

double TimeLeft::least_s() const {
  return std::min({memory_s, swap_s, tasks_s, open_files_s});
}

void TimeLeft::describe(JsonLine& line) const {
  line.open("ttf", '{').number("memory", memory_s).number("swap", swap_s);
  line.number("tasks", tasks_s).number("open_files", open_files_s).close('}');
}

const TimeLeft& Exhaustion::step(const Left& left, double now_s) {
  left_ = {memory_.step(left.memory_bytes, now_s), swap_.step(left.swap_bytes, now_s), tasks_.step(left.tasks, now_s),
           open_files_.step(left.open_files, now_s)};
  return left_;
}

}  // namespace hosa
