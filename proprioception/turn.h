// A turn on the CPU: hosa runs at nice -20, and a look at thirty processes takes 20-30 ms on a 125 MIPS board with one
// CPU; whoever else wanted that CPU waited for all of it (6.1: a bystander's p99 was 70 ms beside a held relay of 30
// processes). So a turn that is not urgent rests for half a millisecond each 0.15 ms, which is enough for a request of
// a server on such a board: rests of 0.1 ms ended in the middle of it. At nice 0 the ends of its rests would wait for
// others, but then a thawed crowd of SCHED_IDLE tasks goes first, too: 92 ms until it was frozen again.
#pragma once

namespace hosa {

// The loop has woken up: its 0.15 ms begin. may_rest = false: somebody must be found or stopped at once.
void begin_turn(bool may_rest);
// Between two texts, processes or cgroups: rests where the 0.15 ms are over. No more in a turn whose rests have been 8
// ms late in sum: beside 500 runnable tasks each lasted 4 ms, and a look 2.7 s, until the keeper took the agent for
// stuck. (One late rest says little: a real-time task on the same CPU is enough.)
void let_others_run();

}  // namespace hosa
