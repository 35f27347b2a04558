// A turn on the CPU: hosa runs at nice -20, and a look at thirty processes takes 20-30 ms on a 125 MIPS board with one
// CPU; whoever else wanted that CPU waited for all of it (6.1: a bystander's p99 was 70 ms beside a held relay of 30
// processes). So the loops that read one process or cgroup after another rest for a moment each quarter millisecond.
#pragma once

namespace hosa {

// The loop has woken up: its quarter millisecond begins.
void begin_turn();
// To be called between two processes or cgroups. Sleeps 0.1 ms where the quarter millisecond is over.
void let_others_run();

}  // namespace hosa
