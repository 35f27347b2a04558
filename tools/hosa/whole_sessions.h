// WholeSessions: the sessions that a culprit has to itself, slowed at one stroke. Where everybody lives in the root
// cgroup (an appliance) the scheduler shares the CPU between sessions first, so one write to /proc/PID/autogroup gives
// a storm of 500 processes 1.5 % beside one neighbour, and all that are born in it later; SCHED_IDLE on each of them is
// 2 ms a process on a 125 MIPS board, and they fork meanwhile.
//
// A session is taken only if every process in it, as the last census saw it, is of the culprit and none is protected.
#pragma once
#include "tools/hosa/judged_names.h"

namespace hosa {

class WholeSessions {
 public:
  // Lowers what is not lowered yet, and keeps some long-lived process of each in the journal: an entry ends with its
  // process, and the keeper gives back by entries.
  void lower(const HoldContext& c, const Unit& unit, const Members& members, JudgedNames& names);
  // False: the scheduler does not share by sessions here (Debian's kernels have it switched off).
  bool possible(const HoldContext& c, const Unit& unit);
  bool cover(int session) const;
  bool cover_all(const Members& members) const;
  void forget();

 private:
  struct Whole {
    int session = 0;
    bool lowered = false;  // false: others are in it
  };
  static constexpr std::size_t kMost = 512, kNewPerPass = 16, kHolders = 4;

  bool is_whole(const HoldContext& c, const Unit& unit, const Members& members, int session, JudgedNames& names) const;
  bool hold(const HoldContext& c, const Members& members, int session) const;

  FixedVector<Whole, kMost> sessions_;
  int possible_ = -1;  // not asked yet
};

}  // namespace hosa
