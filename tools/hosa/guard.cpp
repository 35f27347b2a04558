#include "tools/hosa/guard.h"
#include "proprioception/turn.h"

#include <algorithm>

namespace hosa {

std::string_view ProcessGuard::reason(const ProcessInfo& process, std::string_view cgroup_path) {
  const ProcessIdentity& identity = names_.identify(proc_, process, false);
  if (const Protection found = judge(process, identity, own_)) return found.reason;
  return scope_.protects(cgroup_path, identity).empty() ? std::string_view{}
                                                        : std::string_view("protected by the configuration");
}

std::string_view ProcessGuard::reason_before_holding(const ProcessInfo& process, std::string_view cgroup_path) {
  const std::string_view cheap = reason(process, cgroup_path);
  if (!cheap.empty()) return cheap;
  const Protection dear = judge_dearly(proc_, process.pid);
  return dear ? std::string_view(dear.reason) : std::string_view{};
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

int ProcessGuard::mark(Members& members, std::string_view cgroup_path, const Census& census) {
  static Tracers tracers;
  tracers.clear();
  find_tracers(proc_, census.processes(), tracers);
  int free = 0;
  for (Member& member : members) {
    let_others_run();
    const auto process = read_process(proc_, member.pid);
    member.is_protected = !process || !scope_.allows_process(member.pid, census) ||
                          std::find(tracers.begin(), tracers.end(), member.pid) != tracers.end() ||
                          !reason_before_holding(*process, cgroup_path).empty();
    free += member.is_protected ? 0 : 1;
  }
  return free;
}

}  // namespace hosa
