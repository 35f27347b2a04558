#include "tools/hosa/fault_sensor.h"

#include <linux/perf_event.h>

#include <utility>

#include "loader/sys/cpu_list.h"
#include "loader/sys/perf.h"

namespace hosa {

void FaultSensor::open(const char* sys, Maps& maps, const Error* no_bpf, RungReport& report) {
  close();
  sys_ = sys;
  const Result<void> program =
      no_bpf != nullptr ? *no_bpf : program_.open(HOSA_EMBEDDED(fault), "hosa_page_fault", "page_fault_user", maps);
  program_.watch(false);
  if (program) {
    there_ = true;
    return add_rung(report, "page faults", "raw tracepoint page_fault_user, from level 1", "");
  }
  FixedString<255> why(program.error().text().view());
  const auto counting = open_counters();
  close_counters();
  if (counting) {
    there_ = true;
    return add_rung(report, "page faults", "perf counter per CPU, from level 1", why.view());
  }
  why.append("; ").append(counting.error().text().view());
  add_rung(report, "page faults", "absent", why.view());
}

void FaultSensor::close() {
  program_.close();
  for (Fd& fd : counters_) fd.reset();
  counter_count_ = 0;
  before_ = 0;
  there_ = watching_ = false;
}

// CPUs that are possible but not online refuse (ENODEV) and are left out: one plugged in later is not counted.
Result<void> FaultSensor::open_counters() {
  const auto slots = possible_cpu_slots(sys_.c_str());
  if (!slots) return slots.error();
  if (*slots > kMaxCounters) return make_error(0, "too many CPUs for a perf counter on each");
  for (uint32_t cpu = 0; cpu < *slots; ++cpu) {
    auto counter = perf_open_software_counter(PERF_COUNT_SW_PAGE_FAULTS, static_cast<int>(cpu));
    if (!counter && counter.error().code == ENODEV) continue;
    if (!counter) return counter.error();
    counters_[counter_count_++] = std::move(*counter);
  }
  if (counter_count_ == 0) return make_error(ENODEV, "open software counter");
  return {};
}

void FaultSensor::close_counters() {
  before_ = counted();
  for (std::size_t i = 0; i < counter_count_; ++i) counters_[i].reset();
  counter_count_ = 0;
}

void FaultSensor::watch(bool on) {
  if (on == watching_ || !there_) return;
  watching_ = on;
  if (program_.there()) return program_.watch(on);
  if (on)
    (void)open_counters();  // it could be opened once; what cannot now is not counted
  else
    close_counters();
}

uint64_t FaultSensor::counted() const {
  uint64_t sum = before_;
  for (std::size_t i = 0; i < counter_count_; ++i) sum += perf_read_counter(counters_[i].get()).value_or(0);
  return sum;
}

}  // namespace hosa
