// The faults themselves, one function each; offender.c is their frame. A fault runs from onset to `until`, at
// `rate` megabytes a second (0 = as fast as it can), keeps what it took in `held`, and counts it in `taken`, which
// lives in a page shared with its children. A fault is bounded: it stops taking at kMostBytes (four times the RAM of
// the largest guest), whatever it was told. Adding one: write the function, add its line to kFaults.
#ifndef TEST_LAB_FAULTS_H
#define TEST_LAB_FAULTS_H

#include "test/lab/lab.h"

#define kMostBytes (4096ull * MB)

struct shared {
  unsigned long long taken;  // bytes, by everybody
  unsigned forks;            // children ever made
  unsigned alive;            // children now
};

struct fault {
  const char* name;
  void (*run)(double rate_mb, double until, struct shared* s);
};

extern const struct fault kFaults[];
const struct fault* find_fault(const char* name);
void give_back(void);                           // frees whatever the fault of this process took
void reap(struct shared* s, unsigned* killed);  // collects dead children, counting those that a signal ended

#endif
