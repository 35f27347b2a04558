// Holding: one culprit's way through insurance and bucket and back, for memory (holding.md 1-3, spec 5).
//
// Pure: the agent tells it what it sees (Observation) and carries out what it answers (Orders); it never touches the
// machine, so tests and `replay` walk exactly what ships.
//
// A unit that has settled at a size before may grow up to 1.25 times that under the insurance alone, as long as a
// quarter of the machine is left (spec 5): its insurance is made so large that three quarters of it are that growth.
//
//   insured --- 3/4 of the insurance used, T < 120 s, the detector agrees ---> bucket (level 3, then 4)
//      |  <----- 3 s without a freeze (hysteresis; doubled by a relapse) -------- |
//      v  bytes that cannot be dropped grew by < 5 % of the insurance in 5 s
//   watching (60 s: a relapse in here doubles the hysteresis) ---> done
//
// All byte figures are *bytes that cannot be dropped* (anon, tmpfs, socket buffers, kernel memory).
#pragma once
#include <cstdint>

#include "actuate/bucket.h"

namespace hosa {

enum class Stage : uint8_t { insured, bucket, watching, done };
const char* stage_name(Stage stage);

struct Observation {
  double now_s = 0;
  double bytes = 0;            // of the culprit, hold room included
  double current_bytes = 0;    // memory.current: the line is set above this
  double room_bytes = 0;       // actuate/room_size.h, now
  double available_bytes = 0;  // MemAvailable
  double reserve_bytes = 0;
  double known_bytes = 0;        // what the unit has settled at before; 0: not known
  double quarter_bytes = 0;      // of the machine, or of --room
  bool has_line = false;         // a memory.high can be set for it
  bool room_ready = false;       // its growers are in the hold room (or a lower rung is ready)
  bool detector_agrees = false;  // D_M above its first threshold or rising
  bool warming = false;
  bool gone = false;   // no process left
  double share = 1.0;  // of the pool when several are held: k culprits get 1/k each
  FreezeLimits freeze;
};

struct Orders {
  bool set_line = false;  // write memory.high = line_bytes (memory.swap.max first)
  double line_bytes = 0;
  bool drop_line = false;
  bool open_room = false;
  bool close_room = false;
  bool give_cpu = false;  // it has needed no freeze for a while: is that its own doing?
  Pulse pulse = Pulse::none;
};

class Holding {
 public:
  static constexpr double kHorizonS = 120, kWarmupHorizonS = 30, kSevereHorizonS = 15;
  // Who is held has hardly any claim to the CPU (held_processes.h), and beside somebody busy it grew too slowly to need
  // a freeze, was let go after 3 s and leaked on (lab server-scribble: 68 % of the room instead of 52): so the CPU is
  // given back first, the room when it still needs no freeze.
  static constexpr double kCpuBackS = 1.5;
  static constexpr double kHysteresisS = 3, kLongestHysteresisS = 600, kRelapseS = 60;
  static constexpr double kInsuranceLookS = 5, kInsuranceGrowth = 0.05, kRewriteS = 10, kSevereS = 10;
  // Level 3: room left / 120 s, counted down to where level 4 begins (twice the reserve), so that a bucket at level 3
  // never drives itself into level 4. Level 4: a quarter of room left / 120 s.
  static constexpr double kFillHorizonS = 120;
  static constexpr double kKnownShare = 1.25, kUsedShare = 0.75;

  // The insurance: to be called once, at onset or relapse; answers the first orders.
  Orders insure(const Observation& o);
  Orders step(const Observation& o);
  // Gives everything back whatever the state (operator, end of the agent).
  Orders release(double now_s);

  Stage stage() const { return stage_; }
  int level() const { return stage_ == Stage::insured ? 2 : stage_ == Stage::bucket ? (severe_ ? 4 : 3) : 0; }
  double room_bytes() const { return room_; }
  double insurance_bytes() const { return insurance_; }
  double base_bytes() const { return base_; }
  double line_bytes() const { return line_; }
  bool expected() const { return expected_; }  // its known size, not the room, sets the insurance
  double used_share() const { return insurance_ > 0 ? (bytes_ - base_) / insurance_ : 0; }
  double growth_per_s() const { return growth_per_s_; }
  double seconds_to_failure() const;
  double fill_per_s() const { return fill_; }
  double hysteresis_s() const { return hysteresis_; }
  Bucket& bucket() { return bucket_; }
  const Bucket& bucket() const { return bucket_; }

 private:
  Orders while_insured(const Observation& o);
  Orders while_bucket(const Observation& o);
  void measure(const Observation& o);
  void judge_severity(const Observation& o);
  void enter(Stage stage, const Observation& o);
  Orders insurance_line(const Observation& o);
  double expected_growth(const Observation& o) const;

  Stage stage_ = Stage::done;
  bool severe_ = false, was_fast_ = false, expected_ = false;
  double judged_s_ = -1e9, severe_s_ = -1e9;
  double entered_s_ = 0, insured_s_ = 0, freed_s_ = -1e9;
  double base_ = 0, insurance_ = 0, line_ = 0, line_written_s_ = -1e9;
  double bytes_ = 0, room_ = 0, fill_ = 0, hysteresis_ = kHysteresisS;
  double look_s_ = 0, look_bytes_ = 0;                       // start of the running 5 s look
  double slope_s_ = 0, slope_bytes_ = 0, growth_per_s_ = 0;  // growth over the last second
  Bucket bucket_;
};

}  // namespace hosa
