// MemoryLine: the insurance of a held culprit in the kernel: memory.high, and before it memory.swap.max (holding.md 1).
// Journalled, never looser than what stood there before, given back by drop().
#pragma once
#include "tools/hosa/memory_episode.h"

namespace hosa {

class MemoryLine {
 public:
  // Whether the culprit's cgroup can have one; an administrator who sets a value of his own ends that.
  bool possible() const { return possible_; }
  void allow(bool possible) { possible_ = possible; }

  void set(const HoldContext& c, const MemoryEpisode& e, double line_bytes);  // or moves it
  void drop(const HoldContext& c, const MemoryEpisode& e);
  // S4, once a second and when somebody wrote: our values may have been set back (daemon-reload does that) or replaced
  // by an administrator.
  void keep(const HoldContext& c, const MemoryEpisode& e);
  void forget() { entry_ = swap_entry_ = -1; }  // the keeper gave them back

 private:
  void hold_swap(const HoldContext& c, const MemoryEpisode& e);

  bool possible_ = false;
  int entry_ = -1, swap_entry_ = -1, rewritten_ = 0, swap_rewritten_ = 0;
  double looked_after_s_ = 0;
};

}  // namespace hosa
