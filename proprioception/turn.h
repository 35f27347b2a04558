// A turn on the CPU: hosa runs at nice -20, and a look at thirty processes takes 20-30 ms on a 125 MIPS board with one
// CPU; whoever else wanted that CPU waited for all of it (6.1: a bystander's p99 was 70 ms beside a held relay of 30
// processes). So the loops that read one process or cgroup after another rest for a moment each quarter millisecond.
#pragma once

namespace hosa {

// The loop has woken up: its quarter millisecond begins. may_rest = false: somebody must be found at once.
void begin_turn(bool may_rest);
// To be called between two processes or cgroups. In a crowd the first rest is the last one of its turn: beside 500
// runnable tasks each lasted 4 ms instead of 0.1, and a look 2.7 s, until the keeper took the agent for stuck.
// Sleeps 0.1 ms where the quarter millisecond is over.
void let_others_run();

}  // namespace hosa
