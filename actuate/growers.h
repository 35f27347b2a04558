// Growers: which processes of a culprit cgroup go into its hold room (holding.md 2). Pure.
//
// Largest growth first until 98 % of the cgroup's growth since onset is explained (with 80 %, 3 of 16 leakers stayed
// outside and filled the machine); and whoever, inside the cgroup, gave birth to a grower that was born since onset;
// if to two of them, its other young, too. One that forks twice leaves its children to init: then it is who forked
// most, if that explains half of the orphans. Growth that no process shows as its own memory (tmpfs, socket buffers) is
// dealt out by the pages of such kinds that each was handed, or, where those explain less than half of it, by all
// pages.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "loader/sys/fixed.h"

namespace hosa {

inline constexpr std::size_t kMembers = 1024;    // processes of one culprit that are told apart
inline constexpr std::size_t kMostGrowers = 64;  // more: the cgroup is frozen in place, moving 560 took 267 ms

struct Member {
  int pid = 0, parent = 0, session = 0;
  uint64_t start_ticks = 0;
  double bytes = 0;          // anonymous memory of its own, resident
  double gross_bytes = 0;    // all pages it was ever handed, as far as the probes saw
  double unowned_bytes = 0;  // of them tmpfs, shared memory and the kernel's own
  double cpu_s = 0;
  double births = 0;  // as far as the probes saw
  bool held = false;  // in the hold room already
  bool is_protected = false;
};
using Members = FixedVector<Member, kMembers>;  // ascending by pid

struct Growers {
  FixedVector<int, kMostGrowers> pids;
  bool too_many = false;       // more than kMostGrowers would be needed
  double explained = 0;        // share of the growth that the chosen explain
  double protected_share = 0;  // share that protected processes would explain
};

// unit_growth: of the whole cgroup since `before` was taken, bytes. Held members are not chosen again.
Growers choose_growers(const Members& before, const Members& now, double unit_growth);

// By how much those who are there have grown since `before`, in memory of their own.
double own_growth(const Members& before, const Members& now);

const Member* find_member(const Members& members, int pid, uint64_t start_ticks);

}  // namespace hosa
