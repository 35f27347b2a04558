#include "tools/hosa/idle_passes.h"

#include <algorithm>

#include "actuate/autogroup.h"
#include "proprioception/turn.h"

namespace hosa {
namespace {

constexpr double kIdlePassS = 0.05;  // findings 3: a storm of forks is held by a pass each 50 ms
// Among many a pass finds little that is new, and 500 take 0.4 s to look at on a 125 MIPS board.
constexpr double kPassPerMemberS = 0.005, kLongestPaceS = 2;
constexpr double kCoveredPassS = 0.5;  // who leaves a session that is slowed as a whole is found within so long
// A child whose parent was made idle in the middle of its fork() is not idle, and nobody is in its way: of 134 forkers
// a few were left, and they were hundreds when the next pass came 0.7 s later.
constexpr double kSettleS = 0.5;
constexpr std::size_t kLookedAtAgain = 16;
constexpr int kStorm = 8;  // so many found in a round: there will be more
constexpr uint64_t kLongestPassNs = 500'000'000;
constexpr uint64_t kStormTicks = 300;  // who is younger than 3 s when the hold begins was born of the storm

}  // namespace

void IdlePasses::begin(uint64_t boot_ticks) {
  begun_ticks_ = boot_ticks;
  names_.begin(boot_ticks - std::min(boot_ticks, kStormTicks));
}

void IdlePasses::start(const HoldContext& c, CpuEpisode& e) {
  passed_s_ = 0;
  found_s_ = c.moment.now_s;
  pass(c, e);
}

bool IdlePasses::settling(double now_s) const {
  return rushing() || (!shares_.lowered() && now_s - found_s_ < kSettleS);
}

double IdlePasses::pace_s(const CpuEpisode& e, double now_s) const {
  if (settling(now_s)) return kIdlePassS;
  const bool slowed_as_a_whole = e.covered || shares_.lowered();
  return std::clamp(static_cast<double>(members_.size()) * kPassPerMemberS,
                    slowed_as_a_whole ? kCoveredPassS : kIdlePassS, kLongestPaceS);
}

// Whole sessions first, and before anybody else is looked for: from then on it is the others who run in the rests.
bool IdlePasses::slow_sessions(const HoldContext& c, CpuEpisode& e) {
  if (!whole_sessions_.possible(c, e.unit)) return false;
  if (!e.covered) whole_sessions_.lower(c, e.unit, members_, names_);
  c.census.see_newborn(e.unit);
  see(c, e);
  whole_sessions_.lower(c, e.unit, members_, names_);
  e.covered = !members_.empty() && whole_sessions_.cover_all(members_);
  storming_ = storming_ && !e.covered;
  return e.covered;
}

void IdlePasses::pass(const HoldContext& c, CpuEpisode& e) {
  if (c.moment.now_s - passed_s_ < (rushing() ? 0 : pace_s(e, c.moment.now_s))) return;
  passed_s_ = c.moment.now_s;
  if (slow_sessions(c, e)) return;
  // Whoever forks on until it is idle makes children that are not: round after round, and without a rest, because
  // until then it is the storm that runs in the rests (240 forkers, one CPU: nobody else had 2 % of them), unless all
  // of its cgroup is behind everybody.
  const uint64_t until_ns = clock_ns(CLOCK_MONOTONIC) + kLongestPassNs;
  do {
    const int before = e.idled;
    if (rushing()) end_turn();
    if (e.unit.is_tree())
      storm_round(c, e);
    else
      idle_round(c, e);
    storming_ = e.idled - before >= kStorm;
    if (e.idled > before) found_s_ = c.moment.now_s;
  } while (rushing() && clock_ns(CLOCK_MONOTONIC) < until_ns);
  resume_turn();
  if (e.unit.is_tree() && !settling(c.moment.now_s)) {
    done_.clear();
    idle_round(c, e);
  }
  lower_autogroups(c);
  keep_shares(c, e);
}

void IdlePasses::keep_shares(const HoldContext& c, const CpuEpisode& e) {
  if (c.roots.cpu_v1 == nullptr) return;
  static FixedVector<int, kMembers> idle;
  idle = done_;
  for (const ProcessRef& process : yielding_) (void)idle.push_back(process.pid);
  std::sort(idle.begin(), idle.end());
  shares_.note(c, e, shares_.step(c, {idle.data(), idle.size()}, begun_ticks_ - std::min(begun_ticks_, kStormTicks)));
}

// Who of a tree is not known to be idle: one text and two system calls each, because while the rest is looked at in
// full (2.4 ms) others are born. Who is born of an idle parent is idle, and an heir (heirs.h).
void IdlePasses::storm_round(const HoldContext& c, CpuEpisode& e) {
  static PidList pids;
  c.census.list_tree(e.unit, pids);
  for (const int pid : pids) {
    if (std::binary_search(done_.begin(), done_.end(), pid)) continue;
    const auto now = read_process_stat(*c.roots.proc, pid);
    if (!now || !c.census.belongs(*now, e.unit) || !c.guard.scope().allows_process(pid, c.census)) continue;
    if (whole_sessions_.cover(now->session) || !names_.allow(c, *now, e.unit.path.view())) continue;
    if (now->threads == 1) {
      e.idled += idle_just_seen(c.journal, *now, lease_ns()).value_or(false) ? 1 : 0;
    } else {
      e.idled += idle_threads(c.journal, *c.roots.proc, {pid, now->start_ticks}, lease_ns()).value_or(0);
    }
    const bool in_order = done_.empty() || done_.back() < pid;
    if (done_.push_back(pid) && !in_order) std::sort(done_.begin(), done_.end());
  }
}

void IdlePasses::idle_round(const HoldContext& c, CpuEpisode& e) {
  if (e.unit.is_tree())
    see(c, e);
  else
    c.census.members(e.unit, {}, members_);
  yielding_.clear();
  idled_now_.clear();
  // Children inherit the policy, and threads do; a few of those who are idle already are looked at again in each pass.
  const std::size_t turns = 1 + members_.size() / kLookedAtAgain;
  ++pass_;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const ProcessRef process{members_[i].pid, members_[i].start_ticks};
    const bool again = !storming_ && i % turns == pass_ % turns;
    // Hundreds of heirs are written into the journal a few in each pass.
    const bool idle = e.unit.is_tree() ? is_idle(scheduling_policy(process.pid)) : is_idled(c.journal, process);
    if (whole_sessions_.cover(members_[i].session) || (!again && idle))
      yielding_.push_back(process);
    else
      idle_one(c, e, process);
  }
}

// One process of each session in a pass; the next passes add others, because who holds the entry may end.
void IdlePasses::lower_autogroups(const HoldContext& c) {
  FixedVector<int, kLookedAtAgain> sessions;
  for (const ProcessRef& process : idled_now_) {
    const Member* member = find_member(members_, process.pid, process.start_ticks);
    if (member == nullptr || std::find(sessions.begin(), sessions.end(), member->session) != sessions.end()) continue;
    (void)sessions.push_back(member->session);
    if (owns_session(*c.roots.proc, member->session, members_, {yielding_.data(), yielding_.size()}))
      (void)lower_autogroup(c.journal, *c.roots.proc, process, lease_ns());
  }
}

void IdlePasses::idle_one(const HoldContext& c, CpuEpisode& e, const ProcessRef& process) {
  const auto now = read_process(*c.roots.proc, process.pid);
  if (!now || now->start_ticks != process.start_ticks || !c.guard.scope().allows_process(process.pid, c.census)) return;
  if (!c.guard.reason(*now, e.unit.path.view()).empty()) return;
  const auto changed = idle_threads(c.journal, *c.roots.proc, process, lease_ns(), now->threads);
  if (!changed) return;
  e.idled += *changed;
  yielding_.push_back(process);
  idled_now_.push_back(process);
}

void IdlePasses::give_back(const HoldContext& c, CpuEpisode& e) {
  shares_.note(c, e, shares_.restore(c));
  yielding_.clear();
  for (int i = 0; i < Journal::capacity(); ++i) {
    const auto entry = c.journal.read(i);
    if (!entry || (entry->kind != EntryKind::thread_policy && entry->kind != EntryKind::autogroup)) continue;
    const uint64_t unit = c.census.unit_of_pid(entry->pid);
    if (unit == e.unit.id || unit == 0) (void)yielding_.push_back({entry->pid, entry->start_ticks});
  }
  // A child born since the last pass is in nobody's journal, and its parent may have ended.
  c.census.members(e.unit, {}, members_);
  static PidList born;
  born.clear();
  for (const Member& member : members_) {
    if (member.start_ticks >= begun_ticks_) (void)born.push_back(member.pid);
  }
  const int restored =
      undo_processes(c.journal, c.roots, {yielding_.data(), yielding_.size()}, Fd(), {born.data(), born.size()});
  FixedString<32> threads;
  threads.append_number(restored).append(" threads");
  e.note(c, "given_back", e.covered ? "autogroup" : "SCHED_IDLE", threads.view(), "SCHED_OTHER", "ok");
  whole_sessions_.forget();
  e.covered = false;
}

}  // namespace hosa
