// A turn on the CPU: hosa sleeps at nice -20, and a look at thirty processes takes 20-30 ms on a 125 MIPS board with
// one CPU; whoever else wanted that CPU waited for all of it (6.1: a bystander's p99 was 70 ms beside a held relay of
// 30 processes). So a turn that is not urgent is taken at nice 0, and rests for a moment each quarter millisecond: who
// waits then runs until it has done, because at nice 0 the end of a rest interrupts a CPU hog (3 ms ahead of a sleeper)
// but no other sleeper. At nice -20 it did, so that a request of 0.3 ms needed three rests.
#pragma once

namespace hosa {

// The loop has woken up: its quarter millisecond begins. may_rest = false: somebody must be found or stopped at once.
void begin_turn(bool may_rest);
// Between two texts, processes or cgroups: rests for 0.4 ms where the quarter millisecond is over. In a crowd the first
// rest is the last one of its turn: beside 500 runnable tasks each lasted 4 ms instead of 0.1, and a look 2.7 s, until
// the keeper took the agent for stuck.
void let_others_run();
// Urgent again, as whoever sleeps until the next record has to be.
void end_turn();

}  // namespace hosa
