// RoomWeight: cpu.weight 1 for a cgroup of which nobody lives outside of the hold room but who was born of the fault.
// The held are SCHED_IDLE, but that counts only among the tasks of one cgroup, and not at all for who wakes up: without
// it a thawed leaker was everybody's equal (a bystander's p99 4-5 x healthy on the profile no-btf), and each of a
// thawed crowd came before who waited (relay, 6.1, seconds 28 to 60: 47 late answers, 10 with it). A mate outside of
// the room keeps the cgroup's weight as it is.
//
// Where the cpu controller is off, it is switched on for a crowd that is likely to be held: from then on cgroups share
// the CPU, not tasks (relay: one of 25 that wanted to run, its neighbour waited 30-40 ms before the hold began). And
// the kernel is made preemptible where it can be (kernel_setting.h).
#pragma once
#include "tools/hosa/memory_episode.h"

namespace hosa {

// Outside of its room are only those who were born since it was named, or to one of the held shortly before; and no
// cgroup is below it but the room: a container's processes may live deeper than what counts them.
bool all_in_room(const Fd& cgroup, const Members& when_named, uint64_t born_ticks, std::span<const ProcessRef> held);

class RoomWeight {
 public:
  void prepare(const HoldContext& c, const MemoryEpisode& e);  // a hold is likely
  void step(const HoldContext& c, const MemoryEpisode& e);     // each tick, while the bucket runs
  void on_answer(const HoldContext& c, const MemoryEpisode& e, const KeeperAnswer& answer);
  void restore(const HoldContext& c, const MemoryEpisode& e);
  void leave(const HoldContext& c);                                            // nobody is limited any more
  void forget() { entry_ = -1, asked_id_ = preempt_id_ = 0, ready_ = false; }  // the keeper gave everything back

  bool lowered() const { return entry_ >= 0; }

 private:
  void lower(const HoldContext& c, const MemoryEpisode& e);

  int entry_ = -1, rewrites_ = 0;
  uint32_t asked_id_ = 0, preempt_id_ = 0;
  bool ready_ = false;
  double looked_s_ = -1e9;
};

}  // namespace hosa
