#include "actuate/growers.h"

#include <algorithm>

namespace hosa {
namespace {

constexpr double kExplained = 0.98;

struct Candidate {
  const Member* member = nullptr;
  double growth = 0;
  bool born_since = false;
};
using Candidates = FixedVector<Candidate, kMembers>;

using Amounts = FixedVector<double, kMembers>;

double grown(const Member& now, const Member* before, double Member::*what) {
  return std::max(0.0, now.*what - (before != nullptr ? before->*what : 0));
}

double total(const Amounts& amounts) {
  double sum = 0;
  for (const double amount : amounts) sum += amount;
  return sum;
}

// Net growth of each; then what is left of the unit's growth, in proportion to the pages each was handed.
double measure(const Members& before, const Members& now, double unit_growth, Candidates& out) {
  static Amounts unowned, gross;
  unowned.clear(), gross.clear();
  double net_total = 0;
  for (const Member& member : now) {
    const Member* then = find_member(before, member.pid, member.start_ticks);
    const double net = grown(member, then, &Member::bytes);
    out.push_back({&member, net, then == nullptr});
    unowned.push_back(grown(member, then, &Member::unowned_bytes));
    gross.push_back(grown(member, then, &Member::gross_bytes));
    net_total += net;
  }
  const double rest = unit_growth - net_total;
  const Amounts& handed = total(unowned) >= rest / 2 ? unowned : gross;
  const double all = total(handed);
  // A tenth may be page tables, kernel memory, or statm's lag (64 pages a thread up to 6.1).
  if (rest < unit_growth / 10 || all <= 0) return net_total;
  for (std::size_t i = 0; i < out.size(); ++i) out[i].growth += rest * handed[i] / all;
  return net_total + rest;
}

bool add(Growers& growers, int pid) {
  if (std::find(growers.pids.begin(), growers.pids.end(), pid) != growers.pids.end()) return true;
  if (growers.pids.push_back(pid)) return true;
  growers.too_many = true;
  return false;
}

// False: it is nobody in here.
bool add_parent(Growers& growers, const Members& now, int parent) {
  const auto at = std::find_if(now.begin(), now.end(), [parent](const Member& m) { return m.pid == parent; });
  if (at == now.end()) return false;
  if (!at->held && !at->is_protected) add(growers, parent);
  return true;
}

void add_who_forked(Growers& growers, const Members& before, const Members& now, std::size_t orphans) {
  const Member* most = nullptr;
  double births = 0;
  for (const Member& member : now) {
    const double born = grown(member, find_member(before, member.pid, member.start_ticks), &Member::births);
    if (born > births) most = &member, births = born;
  }
  if (most == nullptr || births < static_cast<double>(orphans) / 2) return;
  if (!most->held && !most->is_protected) add(growers, most->pid);
}

// Who bore two growers since onset bears more: the youngest have hardly grown yet (five of a relay's took 38 MB more).
void add_siblings(Growers& growers, const Candidates& candidates, std::size_t chosen) {
  for (const Candidate& young : candidates) {
    if (!young.born_since || young.member->held || young.member->is_protected) continue;
    std::size_t siblings = 0;
    for (std::size_t i = 0; i < chosen; ++i)
      siblings += candidates[i].born_since && candidates[i].member->parent == young.member->parent;
    if (siblings >= 2 && growers.pids.size() < kMostGrowers) add(growers, young.member->pid);
  }
}

}  // namespace

const Member* find_member(const Members& members, int pid, uint64_t start_ticks) {
  const auto at =
      std::lower_bound(members.begin(), members.end(), pid, [](const Member& m, int key) { return m.pid < key; });
  return at != members.end() && at->pid == pid && at->start_ticks == start_ticks ? at : nullptr;
}

double own_growth(const Members& before, const Members& now) {
  double sum = 0;
  for (const Member& member : now)
    sum += grown(member, find_member(before, member.pid, member.start_ticks), &Member::bytes);
  return sum;
}

Growers choose_growers(const Members& before, const Members& now, double unit_growth) {
  static Candidates candidates;  // 24 KB: not on the stack; the agent is single-threaded
  candidates.clear();
  Growers growers;
  const double total = measure(before, now, unit_growth, candidates);
  if (total <= 0) return growers;
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.growth > b.growth; });
  double explained = 0;
  std::size_t orphans = 0, chosen = 0;
  for (const Candidate& candidate : candidates) {
    if (candidate.growth <= 0 || explained >= kExplained * total) break;
    explained += candidate.growth;
    ++chosen;
    if (candidate.member->is_protected) {
      growers.protected_share += candidate.growth / total;
      continue;
    }
    if (!candidate.member->held && !add(growers, candidate.member->pid)) break;
    if (candidate.born_since && !add_parent(growers, now, candidate.member->parent)) ++orphans;
  }
  add_siblings(growers, candidates, chosen);
  if (orphans > 0) add_who_forked(growers, before, now, orphans);
  growers.explained = explained / total - growers.protected_share;
  return growers;
}

}  // namespace hosa
