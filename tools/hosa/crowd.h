// Crowd: whether, and since when, others have waited for a CPU behind a crowd of tasks that all want to run. Each
// reading of the machine tells it; who notices a crowd between two readings may say so, too.
//
// Where PSI counts the time in which somebody waited, the crowd is as old as that time, not as old as the reading that
// saw it: eight spinners that begin in the middle of a calm beat have stood in the way of others for 0.25 s when the
// pressure trigger wakes the loop (lab spin: what others had waited for was waited for once more).
//
// Pure: time is an argument.
#pragma once
#include <cstdint>

namespace hosa {

struct CrowdReading {
  double now_s = 0;
  double running = 0;   // tasks that run or could, but for the one who reads
  double beat_s = 0;    // time since the last reading
  double waited_s = 0;  // how much of it somebody waited for a CPU
  bool exact = false;   // by PSI; else it is an instant that stands for the beat
};

class Crowd {
 public:
  // `cc -j4` on one CPU beside a neighbour is no storm (soak server: cpu.weight 1 on a build), eight spinners are.
  static constexpr double kShare = 0.5, kPerCpu = 4, kAtLeast = 6;
  // Of a calm beat its last half second counts, as for the pressure trigger that ends it.
  static constexpr double kWindowS = 0.5, kCalmBeatS = 0.9;

  void open(uint32_t cpus);
  bool is_crowd(double running) const;
  // Between two readings so many tasks wanted to run. True: they are a crowd that was not known.
  bool notice(double running, double now_s);
  // counts: whether CPU may be this episode's resource at all.
  void read(const CrowdReading& reading, bool counts);

  bool stands() const { return since_s_ >= 0; }
  double since_s() const { return since_s_; }
  double lasts_s(double now_s) const { return stands() ? now_s - since_s_ : 0; }

 private:
  bool others_wait(const CrowdReading& reading) const;
  double cpus_ = 1, since_s_ = -1;
};

}  // namespace hosa
