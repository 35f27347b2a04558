// MemoryHold: one culprit's memory, held. It binds the pure Holding (what is to be done) to the hands: MemoryLine
// (limit files), HoldRoom (who grows, frozen and thawed), RoomWeight or V1Shares, and the byte quota of the probes.
// Once per tick:
//
//   observe -> Holding.step -> carry out -> audit
#pragma once
#include "tools/hosa/hold_room.h"
#include "tools/hosa/memory_line.h"
#include "tools/hosa/room_weight.h"
#include "tools/hosa/v1_shares.h"

namespace hosa {

class MemoryHold {
 public:
  void set_quota_slot(std::size_t slot) { quota_slot_ = slot; }
  // Insures. False: nothing is held (the reason is in the audit log).
  bool begin(const HoldContext& c, const Unit& unit, const Finding& finding, Cause cause);
  void again(const HoldContext& c, const Finding& finding, Cause cause);  // a relapse while watching
  void step(const HoldContext& c);
  void release(const HoldContext& c, const char* why);
  void on_answer(const HoldContext& c, const KeeperAnswer& answer) {
    room_.on_answer(c, e_, answer);
    weight_.on_answer(c, e_, answer);
  }
  // The keeper gave everything back while this process stood still: nothing is ours any more.
  void forget_everything(double now_s);

  Stage stage() const { return e_.holding.stage(); }
  int level() const { return e_.holding.level(); }
  const Unit& unit() const { return e_.unit; }
  bool owns_room(uint64_t cgroup) const { return room_.id() != 0 && room_.id() == cgroup; }
  bool frozen() const { return e_.frozen(); }
  // Half of the insurance is used: what the hold will need is got ready.
  bool likely_held() const { return e_.is(Stage::insured) && e_.holding.used_share() > HoldRoom::kLikelyShare; }
  bool runs() const { return e_.is(Stage::bucket) && !e_.frozen(); }  // under a quota: its record must be heard at once
  // What it counts is not in its processes alone, and it runs: the machine's figures of a moment ago do not do.
  bool counts_unowned() const { return (owns_shared_ || owns_kernel_) && runs(); }
  double wish_s() const;  // how soon it wants to be called again
  // A held crowd has its 3 ms: whatever can wait for them to be over waits.
  bool in_crowd_thaw(double now_s) const {
    return e_.is(Stage::bucket) && !frozen() && e_.held.is_crowd() &&
           now_s < e_.holding.bucket().thawed_s() + Bucket::kCrowdThawS + 0.005;
  }
  void describe(JsonLine& line) const { e_.describe(line); }

 private:
  // What a crowd may be handed at each thaw.
  uint64_t crowd_bytes() const {
    return weight_.lowered() || shares_.lowered() ? Bucket::kLightCrowdBytes : Bucket::kCrowdBytes;
  }
  bool open_cgroup_of(const HoldContext& c, const Unit& unit);
  void note_onset(const HoldContext& c);
  Observation observe(const HoldContext& c);
  FreezeLimits freeze_limits() const;
  void read_bytes(const HoldContext& c, Observation& o);
  void carry_out(const HoldContext& c, const Orders& orders);
  void arm_quota(const HoldContext& c);
  void keep_shares(const HoldContext& c);
  void close_files();

  MemoryEpisode e_;
  MemoryLine line_;
  HoldRoom room_;
  RoomWeight weight_;
  V1Shares shares_;
  CgroupMeter meter_;
  bool owns_shared_ = false, owns_kernel_ = false, quota_armed_ = false;
  std::size_t quota_slot_ = 0;
  UnownedBytes unowned_at_begin_;
  double headroom_ = 1e18, known_bytes_ = 0;
  double now_s_ = 0, current_ = 0, full_read_s_ = -1e9;
  double told_s_ = 0;
  uint64_t told_freezes_ = 0;
};

}  // namespace hosa
