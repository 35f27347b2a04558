// Room: how many bytes are left before the machine, or a memory.max above the culprit, is full (holding.md 1).
// Pure arithmetic; all figures in bytes.
#pragma once
#include <algorithm>

namespace hosa {

struct RoomInputs {
  double mem_total = 0;
  double mem_available = 0;
  double limit_headroom = 1e18;  // smallest (memory.max - memory.current) among the culprit's ancestors; 1e18 = none
  double room_option = 0;        // --room SIZE, 0 = the whole machine
  double grown_since_onset = 0;  // counted against --room only: there the machine itself never gets short
};

// What is never given away: max(32 MB, min(4 % of RAM, 256 MB)); with --room a sixteenth of it.
inline double reserve_bytes(const RoomInputs& in) {
  constexpr double kMega = 1024.0 * 1024.0;
  if (in.room_option > 0) return in.room_option / 16;
  return std::max(32 * kMega, std::min(0.04 * in.mem_total, 256 * kMega));
}

inline double room_bytes(const RoomInputs& in) {
  const double reserve = reserve_bytes(in);
  double room = std::min(in.mem_available - reserve, in.limit_headroom);
  if (in.room_option > 0) room = std::min(room, in.room_option - reserve - std::max(0.0, in.grown_since_onset));
  return std::max(0.0, room);
}

}  // namespace hosa
