#include "tools/hosa/guard.h"

#include <algorithm>

#include "proprioception/turn.h"

namespace hosa {
namespace {

constexpr double kJudgedS = 5;

}  // namespace

std::string_view ProcessGuard::reason(const ProcessInfo& process, std::string_view cgroup_path) {
  let_others_run();
  const ProcessIdentity& identity = names_.identify(proc_, process, false);
  if (const Protection found = judge(process, identity, own_)) return found.reason;
  return scope_.protects(cgroup_path, identity).empty() ? std::string_view{}
                                                        : std::string_view("protected by the configuration");
}

bool ProcessGuard::is_protected_dearly(const ProcessInfo& process) {
  const auto known = std::find_if(judged_.begin(), judged_.end(), [&](const Judged& j) {
    return j.pid == process.pid && j.start_ticks == process.start_ticks;
  });
  if (known != judged_.end()) return known->is_protected;
  let_others_run();
  const bool traces = std::find(tracers_.begin(), tracers_.end(), process.pid) != tracers_.end();
  const bool found = traces || judge_dearly(proc_, process.pid);
  (void)judged_.push_back({process.pid, process.start_ticks, found});
  return found;
}

std::string_view ProcessGuard::reason_for_cgroup(const Fd& cgroup, std::string_view path) {
  const CgroupProtection found = cgroup_holds_protected(cgroup, {proc_, names_, own_});
  if (found) return found.reason;
  // A configured path protects what is below it; one below the cgroup would be limited along with it.
  ProcessIdentity nobody;
  nobody.uid = UINT32_MAX;
  return scope_.protects(path, nobody).empty() ? std::string_view{}
                                               : std::string_view("protected by the configuration");
}

int ProcessGuard::mark(Members& members, std::string_view cgroup_path, const Census& census, double now_s) {
  if (now_s - judged_since_s_ > kJudgedS) {
    judged_since_s_ = now_s;
    judged_.clear();
    find_tracers(proc_, census.processes(), tracers_);
  }
  int free = 0;
  for (Member& member : members) {
    const auto process = read_process(proc_, member.pid);
    member.is_protected = !process || !scope_.allows_process(member.pid, census) ||
                          !reason(*process, cgroup_path).empty() || is_protected_dearly(*process);
    free += member.is_protected ? 0 : 1;
  }
  return free;
}

}  // namespace hosa
