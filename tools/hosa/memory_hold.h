// MemoryHold: one culprit's memory, held. It binds the pure Holding (what is to be done) to the hands (journal, limit
// files, hold room, keeper): observe -> Holding.step -> carry out -> audit, once per tick.
//
// Means, first choice first (holding.md 2): the hold room; the cgroup frozen in place (more than 64 growers and nobody
// else in it); SIGSTOP by the loop.
#pragma once
#include <algorithm>

#include "actuate/autogroup.h"
#include "actuate/holding.h"
#include "actuate/process_hold.h"
#include "actuate/room.h"
#include "actuate/suspicion.h"
#include "tools/hosa/audit.h"
#include "tools/hosa/census.h"
#include "tools/hosa/guard.h"
#include "tools/hosa/handed.h"

namespace hosa {

// What every hold works with; made anew by the agent for each tick.
struct HoldContext {
  const Moment& moment;
  const StateVector& vector;
  Census& census;
  Handed& handed;
  Journal& journal;
  Keeper& keeper;
  const Roots& roots;
  Audit& audit;
  ProcessGuard& guard;
  KernelSide& kernel;
  bool shadow = false;
  bool memory_controller = false;
  double room_option = 0;
  double page_bytes = 4096;
  int held_units = 1;
  unsigned online_cpus = 1;
  double max_tasks = 32768;
  int ceiling = 4;
};

class MemoryHold {
 public:
  enum class Means : uint8_t { none, asked, room, in_place, stop };

  void set_quota_slot(std::size_t slot) { quota_slot_ = slot; }
  // Insures. False: nothing is held (the reason is in the audit log).
  bool begin(const HoldContext& c, const Unit& unit, const Finding& finding, Cause cause);
  void again(const HoldContext& c, const Finding& finding, Cause cause);  // a relapse while watching
  void step(const HoldContext& c);
  void release(const HoldContext& c, const char* why);
  void on_answer(const HoldContext& c, const KeeperAnswer& answer);
  // The keeper gave everything back while this process stood still: nothing is ours any more.
  void forget_everything(double now_s);

  Stage stage() const { return holding_.stage(); }
  int level() const { return holding_.level(); }
  const Unit& unit() const { return unit_; }
  bool owns_room(uint64_t cgroup) const { return room_id_ != 0 && room_id_ == cgroup; }
  bool frozen() const { return holding_.bucket().frozen(); }
  double wish_s() const;  // how soon it wants to be called again
  // A held crowd has its 3 ms: whatever can wait for them to be over waits.
  bool in_crowd_thaw(double now_s) const {
    return holding_.stage() == Stage::bucket && !frozen() && held_.size() > Bucket::kCrowd &&
           now_s < holding_.bucket().crowd_until_s() + 0.005;
  }
  void describe(JsonLine& line) const;

 private:
  Observation observe(const HoldContext& c);
  void read_bytes(const HoldContext& c, Observation& o);
  void carry_out(const HoldContext& c, const Orders& orders);
  void set_line(const HoldContext& c, double line_bytes);
  void drop_line(const HoldContext& c);
  void fill_room(const HoldContext& c);
  void prepare(const HoldContext& c);
  bool is_held(int pid) const;
  bool has_newcomers(const PidList& inside) const {
    return std::any_of(inside.begin(), inside.end(), [this](int pid) { return !is_held(pid); });
  }
  void use_stop(const HoldContext& c, const char* why);
  void use_in_place(const HoldContext& c);
  void pulse(const HoldContext& c, Pulse pulse);
  void close_room(const HoldContext& c);
  void look_outside(const HoldContext& c);
  void move_in_too(const HoldContext& c, const Growers& growers);
  void arm_quota(const HoldContext& c);
  void adopt(const HoldContext& c, const PidList& inside);
  void look_after_held(const HoldContext& c);
  void keep_ours(const HoldContext& c);
  void note(const HoldContext& c, const char* event, const char* action, std::string_view old_value,
            std::string_view new_value, const char* result, const Finding* finding = nullptr);
  uint64_t lease_ns() const;
  void freeze_limits_of(const HoldContext& c, int pid);

  Unit unit_;
  Holding holding_;
  Finding finding_;
  Cause cause_ = Cause::none;
  Fd cgroup_;  // X; the v2 root for a tree
  uint64_t cgroup_id_ = 0, room_id_ = 0;
  FixedString<kCgroupPathBytes> cgroup_path_;
  CgroupMeter meter_;
  Members before_, now_, outside_;
  Means means_ = Means::none;
  Room room_;
  static constexpr std::size_t kMostHeld = 256;
  FixedVector<ProcessRef, kMostHeld> held_, unprepared_, gone_;
  PidList inside_;  // members of the frozen room
  FreezeLimits freeze_;
  bool has_line_ = false, owns_unowned_ = false, closing_ = false;
  int line_entry_ = -1, swap_entry_ = -1, in_place_entry_ = -1;
  uint32_t asked_id_ = 0;
  double bytes_at_begin_ = 0, unowned_at_begin_ = 0, headroom_ = 1e18;
  double looked_outside_s_ = 0, looked_after_s_ = 0, told_s_ = 0;
  uint64_t told_freezes_ = 0;
  std::size_t quota_slot_ = 0;
  bool quota_armed_ = false;
  std::size_t status_turn_ = 0;
  int rewritten_ = 0;
  double now_s_ = 0, bytes_ = 0, current_ = 0, full_read_s_ = -1e9, locks_read_s_ = 0, frozen_s_ = 0,
         members_read_s_ = -1;
};

}  // namespace hosa
