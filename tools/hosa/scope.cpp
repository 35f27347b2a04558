#include "tools/hosa/scope.h"

#include "loader/sys/text.h"

namespace hosa {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// Is `pid` the process `top` or below it? Walks parents as they are now; 64 levels are more than anybody nests.
bool is_below(const Fd& proc, int pid, int top) {
  for (int depth = 0; depth < 64 && pid > 1; ++depth) {
    if (pid == top) return true;
    const auto process = read_process(proc, pid);
    if (!process) return false;
    pid = process->parent;
  }
  return false;
}

}  // namespace

bool path_is_below(std::string_view path, std::string_view ancestor) {
  while (ancestor.size() > 1 && ancestor.back() == '/') ancestor.remove_suffix(1);
  if (ancestor == "/") return true;
  return path.starts_with(ancestor) && (path.size() == ancestor.size() || path[ancestor.size()] == '/');
}

bool Scope::allows(const Unit& unit, const Census&, ProcessNames& names) const {
  if (!limited()) return true;
  const std::string_view only = only_.view();
  if (only.front() == '/') return !unit.is_tree() && path_is_below(unit.path.view(), only);
  if (only.starts_with("pid:")) {
    const auto top = to_number<int>(slice(only, 4));
    return top && is_below(*proc_, unit.top_pid, *top);
  }
  if (!unit.is_tree() && contains(unit.path.view(), only)) return true;
  const auto process = read_process(*proc_, unit.top_pid);
  if (!process) return false;
  const ProcessIdentity* identity = names.peek(process->pid, process->start_ticks);
  return identity != nullptr && contains(identity->command_line().view(), only);
}

bool Scope::allows_process(int pid, const Census&) const {
  const std::string_view only = only_.view();
  if (!only.starts_with("pid:")) return true;  // the unit was allowed as a whole
  const auto top = to_number<int>(slice(only, 4));
  return top && is_below(*proc_, pid, *top);
}

std::string_view Scope::protects(std::string_view path, const ProcessIdentity& identity) const {
  for (const auto& entry : config_->protect) {
    const std::string_view pattern = entry.view();
    const bool hit = pattern.front() == '/'         ? path_is_below(path, pattern)
                     : pattern.starts_with("cmd:")  ? contains(identity.command_line().view(), slice(pattern, 4))
                     : to_number(slice(pattern, 4)) ? *to_number(slice(pattern, 4)) == identity.uid
                                                    : false;
    if (hit) return pattern;
  }
  return {};
}

}  // namespace hosa
