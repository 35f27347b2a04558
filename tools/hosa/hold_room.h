// HoldRoom: the hands on the growers of a held culprit, from level 3 on. They are chosen, sent to a hold room by the
// keeper, frozen and thawed; while frozen they are looked after, and so is who grows outside of the room; at the end
// everybody leaves and gets back what was changed of him.
//
// Means, first choice first (holding.md 2): the hold room; the cgroup frozen in place (more than 64 growers and nobody
// else in it); SIGSTOP by the loop. hold_room.cpp takes, pulses and gives back; hold_room_looks.cpp looks.
#pragma once
#include "actuate/room.h"
#include "tools/hosa/memory_episode.h"

namespace hosa {

class HoldRoom {
 public:
  static constexpr double kLikelyShare = 0.5;  // of the insurance

  // Insured, and half of the insurance is used: who may not be held is found out before the hold has to begin.
  void look_ahead(const HoldContext& c, MemoryEpisode& e);
  // An onset: what was seen ahead of an earlier hold, maybe of another unit, tells nothing of this one.
  void forget_look_ahead() { ahead_bytes_ = -1; }
  void fill(const HoldContext& c, MemoryEpisode& e);
  void on_answer(const HoldContext& c, MemoryEpisode& e, const KeeperAnswer& answer);
  void pulse(const HoldContext& c, MemoryEpisode& e, Pulse pulse);
  // A room is left while still frozen: the keeper moves everybody out, and arriving is being thawed.
  void close(const HoldContext& c, MemoryEpisode& e);
  // Whoever was just ending kept the room from being removed: asked again, once a second.
  void close_again(const HoldContext& c, MemoryEpisode& e);
  // Frozen ones with a handled signal pending, or with somebody waiting behind a lock of theirs, are let run.
  void look_after(const HoldContext& c, MemoryEpisode& e);
  // While the room is frozen: does growth now come from outside of it? Then its growers go in, too.
  void look_outside(const HoldContext& c, MemoryEpisode& e);
  // The keeper gave everything back: nothing is ours any more.
  void forget();

  uint64_t id() const { return id_; }  // 0: there has been none

 private:
  void ask_for_room(const HoldContext& c, MemoryEpisode& e);
  void ask_to_close(const HoldContext& c, const MemoryEpisode& e);
  void use_stop(const HoldContext& c, MemoryEpisode& e, const char* why);
  void use_in_place(const HoldContext& c, MemoryEpisode& e);
  void move_in_too(const HoldContext& c, MemoryEpisode& e, const Growers& growers);
  void list_inside(const HoldContext& c, MemoryEpisode& e);
  bool lock_is_waited_for(const HoldContext& c) const;
  Growers growers(const MemoryEpisode& e) const;

  static constexpr double kLeastGrowthBytes = 1024 * 1024;  // less is nobody's

  Room room_;
  uint64_t id_ = 0;
  uint32_t asked_id_ = 0;
  int in_place_entry_ = -1;
  double close_again_s_ = -1;
  Members outside_;          // when last looked at; before there is a room, when looked ahead
  double ahead_bytes_ = -1;  // of the unit then; -1: there was no look ahead
  PidList inside_;           // members of the frozen room
  std::size_t status_turn_ = 0;
  double frozen_s_ = 0, members_read_s_ = -1, looked_outside_s_ = 0, locks_read_s_ = 0, looked_ahead_s_ = 0;
};

}  // namespace hosa
