#include "tools/hosa/whole_sessions.h"

#include <algorithm>

#include "actuate/autogroup.h"

namespace hosa {
namespace {

bool has_session(const Members& members, int session) {
  return std::any_of(members.begin(), members.end(), [session](const Member& m) { return m.session == session; });
}

}  // namespace

bool WholeSessions::cover(int session) const {
  return std::any_of(sessions_.begin(), sessions_.end(),
                     [session](const Whole& whole) { return whole.session == session && whole.lowered; });
}

bool WholeSessions::cover_all(const Members& members) const {
  return std::all_of(members.begin(), members.end(), [this](const Member& m) { return cover(m.session); });
}

void WholeSessions::forget() {
  sessions_.clear();
  possible_ = -1;
}

bool WholeSessions::possible(const HoldContext& c, const Unit& unit) {
  if (possible_ < 0) possible_ = unit.is_tree() && autogroup_counts(*c.roots.proc, unit.top_pid) ? 1 : 0;
  return possible_ == 1;
}

bool WholeSessions::is_whole(const HoldContext& c, const Unit& unit, const Members& members, int session,
                             JudgedNames& names) const {
  if (session <= 0) return false;
  for (const ProcessInfo& process : c.census.processes()) {
    if (process.session != session) continue;
    if (c.census.unit_of_pid(process.pid) != unit.id) return false;
    if (!c.guard.scope().allows_process(process.pid, c.census)) return false;
    if (!names.allow(c, process, unit.path.view())) return false;
  }
  for (const Member& member : members) {  // who was born since the census
    if (member.session != session || find_process(c.census.processes(), member.pid, member.start_ticks)) continue;
    const auto process = read_process_stat(*c.roots.proc, member.pid);
    if (process && !names.allow(c, *process, unit.path.view())) return false;
  }
  const auto leader = read_process_stat(*c.roots.proc, session);
  return !leader || leader->session != session || c.census.unit_of_pid(session) == unit.id;
}

// The oldest first: they outlive the rest as a rule.
bool WholeSessions::hold(const HoldContext& c, const Members& members, int session) const {
  std::size_t holders = 0;
  for (const Member& member : members) {
    if (member.session != session) continue;
    const auto autogroup = holders < kHolders ? read_autogroup(*c.roots.proc, member.pid) : std::nullopt;
    if (!autogroup) continue;
    const ProcessRef process{member.pid, member.start_ticks};
    const auto lowered = lower_autogroup(c.journal, *c.roots.proc, process, lease_ns());
    const bool held =
        c.journal.find_process(EntryKind::autogroup, process.pid, autogroup->number, process.start_ticks) >= 0;
    if (!held && lowered && autogroup->nice == 19) return false;  // so by somebody else's wish
    holders += held ? 1 : 0;
    if (holders == kHolders) break;
  }
  return holders > 0;
}

void WholeSessions::lower(const HoldContext& c, const Unit& unit, const Members& members, JudgedNames& names) {
  if (!possible(c, unit)) return;
  std::size_t kept = 0;
  for (Whole& whole : sessions_) {
    if (!has_session(members, whole.session)) continue;
    if (whole.lowered) whole.lowered = hold(c, members, whole.session);
    sessions_[kept++] = whole;
  }
  sessions_.resize_down(kept);
  std::size_t looked_at = 0;
  for (const Member& member : members) {
    const auto known = std::find_if(sessions_.begin(), sessions_.end(),
                                    [&member](const Whole& whole) { return whole.session == member.session; });
    if (known != sessions_.end()) continue;
    if (++looked_at > kNewPerPass || sessions_.size() == kMost) return;
    const bool whole = is_whole(c, unit, members, member.session, names);
    (void)sessions_.push_back({member.session, whole && hold(c, members, member.session)});
  }
}

}  // namespace hosa
