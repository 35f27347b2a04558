#include "proprioception/process_table.h"

#include <algorithm>

#include "loader/sys/file.h"
#include "loader/sys/text.h"
#include "proprioception/directory.h"

namespace hosa {

namespace {
bool by_pid(const ProcessInfo& a, const ProcessInfo& b) {
  return a.pid < b.pid;
}
}  // namespace

Result<ProcessPass> read_processes(const Fd& proc, ProcessList& list, KernelThreads* known,
                                   std::span<const ProcessSizes> earlier) {
  list.clear();
  ProcessPass pass;
  const std::size_t sorted = known != nullptr ? known->size() : 0;
  DirectoryReader entries(proc.get());
  while (const auto entry = entries.next()) {
    const auto pid = to_number<int>(entry->name);
    if (!pid || *pid <= 0) continue;
    if (known != nullptr && std::binary_search(known->begin(), known->begin() + sorted, *pid)) continue;
    const auto process = read_process(proc, *pid, earlier);
    if (process && process->kernel_thread() && known != nullptr && known->push_back(*pid)) continue;
    if (!process) {
      const int code = process.error().code;
      ++(code == ESRCH || code == ENOENT ? pass.vanished : pass.unreadable);
    } else if (!list.push_back(*process)) {
      pass.complete = false;
      break;
    }
  }
  if (entries.failed() != 0) return make_error(entries.failed(), "list the processes in", "/proc");
  if (known != nullptr && known->size() > sorted) std::sort(known->begin(), known->end());
  if (!std::is_sorted(list.begin(), list.end(), by_pid)) std::sort(list.begin(), list.end(), by_pid);
  return pass;
}

const ProcessInfo* find_process(const ProcessList& list, int pid, uint64_t start_ticks) {
  const auto* found = std::lower_bound(list.begin(), list.end(), pid,
                                       [](const ProcessInfo& process, int wanted) { return process.pid < wanted; });
  if (found == list.end() || found->pid != pid) return nullptr;
  return start_ticks == 0 || found->start_ticks == start_ticks ? found : nullptr;
}

}  // namespace hosa
