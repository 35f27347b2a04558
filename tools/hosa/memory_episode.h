// MemoryEpisode: what is known of one culprit's memory from its naming until everything is given back: who it is, where
// its cgroup is, how far the plan (Holding) has come, who is held and how. MemoryHold and HoldRoom work on it; what it
// says of itself is the same in every audit line and in `status`.
#pragma once
#include "actuate/holding.h"
#include "actuate/limit.h"
#include "tools/hosa/held_processes.h"

namespace hosa {

// First choice first (holding.md 2); asked: the keeper makes the room.
enum class MemoryMeans : uint8_t { none, asked, room, in_place, stop };

struct MemoryEpisode {
  Unit unit;
  Finding finding;
  Cause cause = Cause::none;
  Fd cgroup;  // X; the v2 root for a tree
  uint64_t cgroup_id = 0;
  FixedString<kCgroupPathBytes> path;
  Holding holding;
  double bytes = 0, bytes_at_begin = 0;
  Members before, now;      // of X, when it was named and when last looked at
  uint64_t born_ticks = 0;  // who was born after this and is a child of a held one was born of the fault
  HeldProcesses held;
  MemoryMeans means = MemoryMeans::none;

  bool frozen() const { return holding.bucket().frozen(); }
  bool is(Stage stage) const { return holding.stage() == stage; }
  CgroupRef cgroup_ref() const { return {&cgroup, cgroup_id, path.view()}; }
  void describe(JsonLine& line) const;
  // One audit line. explained: with the finding that named it and the state of the machine.
  void note(const HoldContext& c, const char* event, const char* action, std::string_view old_value,
            std::string_view new_value, const char* result, bool explained = false) const;
};

}  // namespace hosa
