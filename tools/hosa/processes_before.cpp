#include "tools/hosa/processes_before.h"

#include <algorithm>

namespace hosa {

void ProcessesBefore::keep(const ProcessList& processes, double read_s) {
  if (read_s - read_s_ < kApartS) return;
  read_s_ = read_s;
  rows_.clear();
  for (const ProcessInfo& p : processes) rows_.push_back({p.pid, p.start_ticks, p.cpu_ticks, p.own_pages()});
}

ProcessesBefore::Row ProcessesBefore::find(const ProcessInfo& now) const {
  const auto at =
      std::lower_bound(rows_.begin(), rows_.end(), now.pid, [](const Row& row, int pid) { return row.pid < pid; });
  return at != rows_.end() && at->pid == now.pid && at->start_ticks == now.start_ticks ? *at : Row{};
}

double ProcessesBefore::pages_grown(const ProcessInfo& now) const {
  return static_cast<double>(now.own_pages()) - static_cast<double>(find(now).own_pages);
}

double ProcessesBefore::cpu_ticks_used(const ProcessInfo& now) const {
  return static_cast<double>(now.cpu_ticks) - static_cast<double>(find(now).cpu_ticks);
}

}  // namespace hosa
