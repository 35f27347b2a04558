// RoomWeight: cpu.weight 1 for a cgroup all of whose processes are in the hold room. They are SCHED_IDLE, but where the
// cpu controller is on that counts only among the tasks of one cgroup: at each thaw the leaker was everybody's equal (a
// bystander's p99 4-5 x healthy on the profile no-btf). A mate outside of the room keeps the cgroup's weight as it is.
#pragma once
#include "tools/hosa/memory_hold.h"

namespace hosa {

// Nobody in it, and no cgroup below it but the room: a container's processes may live deeper than what counts them.
bool all_in_room(const Fd& cgroup);

class RoomWeight {
 public:
  // Each tick. wanted: the hold's bucket runs.
  void step(const HoldContext& c, const Unit& unit, bool wanted);
  void forget() { entry_ = -1; }  // the keeper gave it back

 private:
  void lower(const HoldContext& c, const Unit& unit, const Fd& cgroup);
  void restore(const HoldContext& c);
  void note(const HoldContext& c, const char* event, std::string_view path, std::string_view old_value,
            std::string_view new_value, const char* result) const;

  int entry_ = -1, rewrites_ = 0;
  double looked_s_ = -1e9;
};

}  // namespace hosa
