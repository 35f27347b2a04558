// hosa doctor: each sense and each means of holding, the rung it stands on here, why not a better one, what that costs
// and the line that would improve it. Built from what really was opened and attached, not from version numbers.
//
// doctor.cpp prints; doctor_senses.cpp and doctor_means.cpp judge; doctor_machine.cpp says what the machine is;
// boot_remedy.h what to write where it starts.
#pragma once
#include "tools/hosa/senses.h"
#include "tools/hosa/surroundings.h"

namespace hosa {

struct Diagnosis {
  FixedString<31> name;
  FixedString<31> unit;      // senses only
  FixedString<63> rung;      // in use; empty: none
  FixedString<255> chain;    // the whole chain, best first, " -> "
  FixedString<255> why;      // not better; empty: it is the best
  FixedString<160> costs;    // in precision or delay
  FixedString<200> improve;  // a line safe to copy, or what to change where; empty: nothing can be done, or need be
  std::string_view resource;
  int sign = 0;  // load sign of a sense
};
using Diagnoses = FixedVector<Diagnosis, 96>;

// One row per dimension that this machine has or could have, and one per probe.
void diagnose_senses(const Senses& senses, const RungReport& rungs, const Surroundings& s, Diagnoses& out);
void diagnose_means(const KernelSide& kernel, const Surroundings& s, Diagnoses& out);

struct Fact {
  FixedString<31> name;
  FixedString<255> value;
};
using Facts = FixedVector<Fact, 24>;
void describe_machine(const Surroundings& s, const Topology& topology, Facts& out);

}  // namespace hosa
