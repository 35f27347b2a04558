// The mix of system calls: calls by number, counted while watch(true) holds; every call of the machine takes the slow
// path then (+67 ns). Costs 1 ms each way on an idle machine and up to 280 ms beside 3,000 processes.
#pragma once
#include <array>
#include <cstdint>

#include "loader/sys/mapping.h"
#include "probes/events.h"
#include "tools/hosa/embedded_probe.h"

namespace hosa {

class SyscallMix {
 public:
  using Counts = std::array<uint32_t, HOSA_SYSCALLS>;
  // Off afterwards. cpu_slots: possible CPUs.
  Result<void> open(uint32_t cpu_slots, Maps& maps);
  void close();
  void watch(bool on) { program_.watch(on); }
  bool on() const { return program_.on(); }
  void read(Counts& sums) const;  // over all CPUs, wrapping around

 private:
  SwitchedProbe program_;
  Mapping counts_;
  uint32_t cpu_slots_ = 0;
};

}  // namespace hosa
