#include "tools/hosa/crowd.h"

#include <algorithm>

namespace hosa {

void Crowd::open(uint32_t cpus) {
  cpus_ = std::max(1u, cpus);
  since_s_ = -1;
}

bool Crowd::is_crowd(double running) const {
  return running >= std::max(kAtLeast, kPerCpu * cpus_);
}

bool Crowd::notice(double running, double now_s) {
  if (stands() || !is_crowd(running)) return false;
  since_s_ = now_s;
  return true;
}

// For half of the time since the crowd was noticed, else since the last reading.
bool Crowd::others_wait(const CrowdReading& reading) const {
  double time_s = reading.beat_s < kCalmBeatS ? std::min(reading.beat_s, kWindowS) : reading.beat_s;
  if (stands()) time_s = std::min(time_s, reading.now_s - since_s_);
  return reading.waited_s > kShare * time_s;
}

void Crowd::read(const CrowdReading& reading, bool counts) {
  if (!counts || !is_crowd(reading.running) || !others_wait(reading)) {
    since_s_ = -1;
    return;
  }
  if (!stands()) since_s_ = reading.now_s - (reading.exact ? reading.waited_s : 0);
}

}  // namespace hosa
