#include <algorithm>

#include "proprioception/file_locks.h"
#include "proprioception/turn.h"
#include "tools/hosa/hold_room.h"

namespace hosa {
namespace {

constexpr double kLookOutsideS = 0.2;  // holding.md 2
constexpr double kLookPerMemberS = 0.03;
constexpr double kLookAheadS = 1.0;
// Once more shortly before the hold begins, but not so late that growth since is less than what statm lags behind.
constexpr double kNearShare = 0.67, kLastShare = 0.72, kLookNearS = 0.25;
constexpr std::size_t kStatusPerTick = 4;
constexpr double kLetRunS = 1.0;  // a handled signal or a waited-for lock: this long without a freeze

}  // namespace

void HoldRoom::look_ahead(const HoldContext& c, MemoryEpisode& e) {
  const double used = e.holding.used_share();
  const double pace_s = std::max(kLookAheadS, static_cast<double>(e.now.size()) * kLookPerMemberS);
  const double due_s = looked_ahead_s_ + (used > kNearShare ? kLookNearS : pace_s);
  if (c.ceiling < 3 || used < kLikelyShare || used > kLastShare || c.moment.now_s < due_s) return;
  looked_ahead_s_ = c.moment.now_s;
  c.census.members(e.unit, {}, e.now);
  (void)c.guard.mark(e.now, e.unit.path.view(), c.census, c.moment.now_s);
  outside_ = e.now;
  for (Member& member : outside_) {  // births count since the onset: this look did not ask for them
    const Member* const then = find_member(e.before, member.pid, member.start_ticks);
    member.births = then != nullptr ? then->births : 0;
  }
  ahead_bytes_ = e.bytes;
}

void HoldRoom::look_outside(const HoldContext& c, MemoryEpisode& e) {
  // A look costs by the number of processes (0.4 ms each there), so a crowd is looked at less often.
  const double pace_s = std::max(kLookOutsideS, static_cast<double>(e.now.size()) * kLookPerMemberS);
  if (e.means != MemoryMeans::room || !e.frozen() || asked_id_ != 0 || c.moment.now_s - looked_outside_s_ < pace_s)
    return;
  if (c.moment.now_s == frozen_s_) return;  // the turn that froze them does not rest, and a look is 15 ms there
  const bool first = looked_outside_s_ == 0;
  looked_outside_s_ = c.moment.now_s;
  c.census.members(e.unit, {}, e.now);  // who was handed what costs 16 ms there, and is asked only below
  if (first) outside_ = e.now;
  double growth = 0;
  for (const Member& member : e.now) {
    const Member* then = find_member(outside_, member.pid, member.start_ticks);
    if (!member.held) growth += member.bytes - (then != nullptr ? then->bytes : 0);
  }
  if (growth < kLeastGrowthBytes) {
    if (growth < 0) outside_ = e.now;
    return;
  }
  // Who is protected is asked only now: it means a look at everybody's status.
  c.census.members(e.unit, c.handed.now(c.moment.now_s), e.now);
  (void)c.guard.mark(e.now, e.unit.path.view(), c.census, c.moment.now_s);
  move_in_too(c, e, choose_growers(outside_, e.now, growth));
  outside_ = e.now;
}

void HoldRoom::move_in_too(const HoldContext& c, MemoryEpisode& e, const Growers& growers) {
  KeeperRequest request = make_request(KeeperTask::move_in, e.cgroup_id, e.path.view(), lease_ns());
  for (const int pid : growers.pids) {
    const auto process = read_process(*c.roots.proc, pid);
    if (!process || !e.held.add({pid, process->start_ticks})) continue;
    request.pids[request.pid_count++] = pid;
  }
  if (request.pid_count == 0) return;
  if (const auto asked = c.keeper.ask(request)) asked_id_ = *asked;
  FixedString<40> who("pid ");
  who.append_number(request.pids[0]).append(" of ").append_number(request.pid_count);
  e.note(c, "act", "room", "", who.view(), "growth came from outside the room: its growers moved in");
}

// Nobody is born while they are frozen, so the room is read once a freeze.
void HoldRoom::list_inside(const HoldContext& c, MemoryEpisode& e) {
  if (e.means != MemoryMeans::room) {
    inside_.clear();
    for (const ProcessRef& process : e.held.all()) inside_.push_back(process.pid);
    e.held.prepare(c, e.now);
    return;
  }
  if (members_read_s_ >= frozen_s_) return;
  members_read_s_ = c.moment.now_s;
  inside_.clear();
  (void)room_.members(inside_);
  // Who has gone counts no more: a crowd that has ended was held as one, and its last process never seemed quiet.
  if (e.held.has_newcomers(inside_) || inside_.size() < e.held.size()) e.held.adopt(c, inside_);
  e.held.prepare(c, e.now);
}

void HoldRoom::look_after(const HoldContext& c, MemoryEpisode& e) {
  if (!e.frozen()) return;
  list_inside(c, e);
  // Four a tick: 64 status files are 40 ms on a 125 MIPS board.
  for (std::size_t i = 0; i < std::min<std::size_t>(inside_.size(), kStatusPerTick); ++i) {
    let_others_run();
    const auto status = read_status(*c.roots.proc, inside_[status_turn_++ % inside_.size()]);
    if (status && status->asked_to_end()) return e.holding.bucket().let_run_until(c.moment.now_s + kLetRunS);
  }
  if (c.moment.now_s - std::max(locks_read_s_, frozen_s_) < kLookOutsideS) return;
  locks_read_s_ = c.moment.now_s;
  let_others_run();
  if (lock_is_waited_for(c)) e.holding.bucket().let_run_until(c.moment.now_s + kLetRunS / 4);
}

// Reading /proc/locks waits for all CPUs (percpu_down_write, 11 ms), so it is worth it in a long freeze only.
bool HoldRoom::lock_is_waited_for(const HoldContext& c) const {
  static LockWaits waits;
  waits.clear();
  if (!read_lock_waits(*c.roots.proc, waits)) return false;
  const auto is_inside = [&](int pid) { return std::find(inside_.begin(), inside_.end(), pid) != inside_.end(); };
  return std::any_of(waits.begin(), waits.end(),
                     [&](const LockWait& wait) { return is_inside(wait.holder) && !is_inside(wait.waiter); });
}

}  // namespace hosa
