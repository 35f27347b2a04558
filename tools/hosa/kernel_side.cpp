#include "tools/hosa/kernel_side.h"

#include "tools/hosa/usage_table.h"

namespace hosa {
namespace {

uint64_t peek(const __u64& value) {
  return __atomic_load_n(&value, __ATOMIC_RELAXED);
}
// The attributed kinds in between have no record.
bool is_known(uint32_t subject) {
  return subject < HOSA_SUBJECTS || (subject >= HOSA_DIRECT_RECLAIM && subject < HOSA_RECORDS);
}
void store(__u64& place, uint64_t value) {
  __atomic_store_n(&place, value, __ATOMIC_RELAXED);
}

}  // namespace

Counters KernelSide::totals() const {
  Counters sum;
  const auto* const slots = reinterpret_cast<const hosa_cpu*>(counters_.data());
  const uint32_t count = counters_ ? cpu_slots_ : 0;
  for (uint32_t cpu = 0; cpu < count; ++cpu) {
    const hosa_cpu& slot = slots[cpu];
    sum.wakeups += peek(slot.wakeups);
    sum.faults += peek(slot.faults);
    sum.brk_calls += peek(slot.brk_calls);
    sum.block_issues += peek(slot.block_issues);
    sum.block_bytes += peek(slot.block_bytes);
    sum.packets += peek(slot.packets);
    sum.forks += peek(slot.forks);
    sum.execs += peek(slot.execs);
    sum.exits += peek(slot.exits);
    sum.anon_bytes += peek(slot.anon_bytes);
    sum.all_bytes += peek(slot.all_bytes);
    sum.records_lost += peek(slot.records_lost);
    sum.unattributed += peek(slot.unattributed);
    sum.made_processes += peek(slot.made_processes);
    sum.made_cgroups += peek(slot.made_cgroups);
  }
  sum.faults += faults_.counted();
  return sum;
}

uint64_t KernelSide::block_issues() const {
  uint64_t sum = 0;
  for (uint32_t cpu = 0; cpu < cpu_slots(); ++cpu) sum += peek(slot(cpu)->block_issues);
  return sum;
}

void KernelSide::set_limits(const WindowLimits& limits) {
  for (std::size_t cpu = 0; cpu < cpu_slots(); ++cpu)
    for (std::size_t subject = 0; subject < HOSA_SUBJECTS; ++subject)
      for (std::size_t span = 0; span < HOSA_SPANS; ++span) set_limit(cpu, subject, span, limits[subject][span]);
}

void KernelSide::set_limit(std::size_t cpu, std::size_t subject, std::size_t span, uint64_t limit) {
  if (cpu < cpu_slots()) store(slot(cpu)->limits[subject][span], limit);
}

uint32_t KernelSide::ended_windows(std::size_t cpu, std::size_t subject, std::size_t span, std::size_t bucket) const {
  return cpu < cpu_slots() ? __atomic_load_n(&slot(cpu)->ended[subject][span][bucket], __ATOMIC_RELAXED) : 0;
}

void KernelSide::quiet_until(std::size_t subject, std::size_t span, uint64_t monotonic_ns) {
  if (config_) store(config()->quiet_until_ns[subject][span], monotonic_ns);
}

void KernelSide::quiet_process_until(uint32_t tgid, uint64_t monotonic_ns) {
  if (!config_) return;
  hosa_quiet& quiet = config()->quiets[tgid % HOSA_QUIETS];
  store(quiet.tgid, tgid);
  store(quiet.until_ns, monotonic_ns);
}

// The probe may be counting down while this is written: `sent` last, so that no record is lost.
bool KernelSide::arm(std::size_t slot, uint64_t cgroup, uint32_t tgid, uint64_t bytes) {
  if (!has(KernelSensor::memory) || slot >= HOSA_QUOTAS) return false;
  hosa_quota& quota = config()->quotas[slot];
  store(quota.cgroup, cgroup);
  store(quota.tgid, tgid);
  __atomic_store_n(&quota.left_bytes, static_cast<int64_t>(bytes), __ATOMIC_RELAXED);
  __atomic_store_n(&quota.sent, uint64_t{0}, __ATOMIC_RELEASE);
  return true;
}

bool KernelSide::quota_used(std::size_t slot) const {
  return config_ && slot < HOSA_QUOTAS && __atomic_load_n(&config()->quotas[slot].sent, __ATOMIC_ACQUIRE) != 0;
}

void KernelSide::drop_quota(std::size_t slot) {
  if (!config_ || slot >= HOSA_QUOTAS) return;
  store(config()->quotas[slot].cgroup, 0);
  store(config()->quotas[slot].tgid, 0);
  __atomic_store_n(&config()->quotas[slot].sent, uint64_t{1}, __ATOMIC_RELEASE);
}

void KernelSide::watch_exit(std::size_t slot, uint32_t pid) {
  if (config_ && slot < HOSA_WATCHED) __atomic_store_n(&config()->watched[slot], pid, __ATOMIC_RELAXED);
}

void KernelSide::consume(KernelEvents& events) {
  events.clear();
  if (!ring_) return;
  ring_.consume(
      [&](Bytes record) {
        const auto event = record.read<hosa_event>(0);
        if (event && is_known(event->subject) && event->span <= HOSA_QUOTA) events.push_back(*event);
      },
      KernelEvents::capacity());
}

Result<std::size_t> KernelSide::read_usage_by_cgroup(std::span<CgroupShare> out) const {
  return read_usage<uint64_t>(maps_.find("by_cgroup"), out, [](uint64_t key, const hosa_usage& usage) {
    return CgroupShare{key, usage};
  });
}

Result<std::size_t> KernelSide::read_usage_by_process(std::span<ProcessShare> out) const {
  return read_usage<uint32_t>(maps_.find("by_process"), out, [](uint32_t key, const hosa_usage& usage) {
    return ProcessShare{key, usage};
  });
}

KernelSide::Forgotten KernelSide::forgotten() const {
  static std::array<ProcessShare, HOSA_PROCESSES> processes;
  static std::array<CgroupShare, HOSA_CGROUPS> cgroups;
  const Counters now = totals();
  const auto processes_there = read_usage_by_process(processes);
  const auto cgroups_there = read_usage_by_cgroup(cgroups);
  const auto less = [](uint64_t made, std::size_t there) { return made > there ? made - there : 0; };
  return {less(now.made_processes, processes_there.value_or(0)), less(now.made_cgroups, cgroups_there.value_or(0)),
          now.unattributed};
}

}  // namespace hosa
