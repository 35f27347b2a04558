// What can be slower because hosa watches: four loops, each answering nanoseconds of CPU time (thread or children, so
// that what others do on the machine does not count) for one event.
#pragma once

namespace bench {

struct Figures {
  double getppid_ns = 0;    // one system call
  double fault_ns = 0;      // one anonymous page touched for the first time, 4 KiB pages
  double switch_ns = 0;     // one message through a pipe to another process: a wake-up and a switch
  double hackbench_ns = 0;  // one message among 2 x 10 senders and receivers
};

double getppid_ns();
double fault_ns();
double switch_ns();
double hackbench_ns();
// Each the least of 8 to 25 tries on one CPU, half a second of each loop: what interferes only ever adds. (Least of
// five: beside a build the quartiles of nine differences of a page fault lay 75 ns apart, those of 25 tries half of
// that.)
Figures measure();

// Births and ends so many processes, one after the other.
void births(int count);

}  // namespace bench
