// A turn on the CPU: hosa runs ahead of everybody, and a look at thirty processes takes 20-30 ms on a 125 MIPS board
// with one CPU; whoever else wanted that CPU waited for all of it (6.1: a bystander's p99 was 70 ms beside a held relay
// of 30 processes). So a turn that is not urgent rests for half a millisecond each 0.15 ms, which is enough for a
// request of a server on such a board: rests of 0.1 ms ended in the middle of it. At nice 0 the ends of its rests would
// wait for others, but then a thawed crowd of SCHED_IDLE tasks goes first, too: 92 ms until it was frozen again.
#pragma once
#include <cstdint>

namespace hosa {

// Real-time priority 1, the lowest; where it is refused, nice -20. With autogroups (a session each, the default) nice
// counts only among the tasks of one session: beside three CPU hogs and a machine busy in other sessions a wake-up took
// 5.3 ms at the median and 16 ms at p99 at nice -20, 26 and 61 us at real-time priority 1 (Linux 6.18, two CPUs). A
// loop that would not end is stopped by RLIMIT_RTTIME (SIGXCPU, and the keeper gives back). Children start without it.
void become_urgent();
// While the probes are loaded: as anybody else, whatever nice value a service manager began with.
void become_ordinary();
// For `hosa doctor`: whether it is granted. Leaves the caller as it was.
bool may_be_real_time();

struct Turn {
  bool roomy = false;            // a CPU was free at the last reading: no rest in the first millisecond
  bool hurry = false;            // somebody must be found or stopped at once: the first 100 ms are without a rest
  int records = -1;              // a descriptor that becomes readable when something must be known now: 100 ms as above
  uint64_t* stamp_ns = nullptr;  // set to CLOCK_MONOTONIC at each rest: a long turn moves, it is not stuck (keeper.h)
};
// The loop has woken up: its 0.15 ms begin.
void begin_turn(const Turn& turn);
// Somebody must be found at once, as has come out in this turn: 100 ms without a rest.
void hurry_turn();
// From now on nobody rests: a child that is not the loop; somebody who is stopped piece by piece.
void end_turn();
// The rests begin again: what was done at once is done.
void resume_turn();
// Between two texts, processes or cgroups (who reads one of a process calls it): rests where the 0.15 ms are over. The
// hurry ends because among 700 processes of a storm of forks a look lasts half a second and more, and a loop at
// real-time priority that did not rest in it left a server without the CPU for 3 s (6.1, one CPU, 125 MIPS). At nice
// -20 no more in a turn whose rests have been 8 ms late in sum: beside 500 runnable tasks each lasted 4 ms, a look 2.7
// s.
void let_others_run();
// Something must be known now: in a rest of this turn the descriptor became readable.
bool news_came();
// A rest at once, whatever is left of the 0.15 ms.
void rest_now();

}  // namespace hosa
