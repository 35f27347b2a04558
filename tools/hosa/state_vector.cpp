#include "tools/hosa/state_vector.h"

namespace hosa {
namespace {

using detect::Kind;
using detect::Resource;
using enum Signal;

double value(const Readings& r, Signal signal) {
  return (*r.sample)[signal];
}
double fraction_of_memory(const Readings& r, Signal signal) {
  const double total = value(r, memory_total_bytes);
  return total > 0 ? value(r, signal) / total : 0;
}
double kernel_cpu_seconds(const Readings& r) {
  return value(r, cpu_system_seconds) + value(r, cpu_irq_seconds) + value(r, cpu_softirq_seconds);
}
double busy_cpu_seconds(const Readings& r) {
  return value(r, cpu_user_seconds) + value(r, cpu_nice_seconds) + kernel_cpu_seconds(r) + value(r, cpu_steal_seconds);
}
double count(uint64_t counter) {
  return static_cast<double>(counter);
}

template <Signal kSignal>
bool sensed(const Readings& r) {
  return r.sample->has(kSignal);
}
template <KernelSensor kSensor>
bool probed(const Readings& r) {
  return r.kernel->has(kSensor);
}
template <KernelSensor kSensor, Signal kSignal>
bool sensed_only(const Readings& r) {
  return !probed<kSensor>(r) && sensed<kSignal>(r);
}
template <Signal kSignal>
double plain(const Readings& r) {
  return value(r, kSignal);
}
template <Signal kSignal>
double per_memory(const Readings& r) {
  return fraction_of_memory(r, kSignal);
}

struct Row {
  detect::Dimension dimension;
  bool (*exists)(const Readings&);
  double (*read)(const Readings&);
  const char* source;
  bool memory_pressure = false;
};

constexpr bool kTotal = true, kLevel = false;  // Dimension::cumulative

// Scales and floors: the recordings' schema (detection.md 2, step 1); those of dimensions that the recordings lack are
// of the same order as their nearest neighbour there. Rows that exclude each other share a name: first choice first.
constexpr Row kRows[] = {
    {{"cpu_busy", "share", Kind::share, 1, +1, 0.03, Resource::cpu, kTotal},
     sensed<cpu_user_seconds>,
     [](const Readings& r) { return busy_cpu_seconds(r) / r.cpus; },
     "/proc/stat"},
    {{"cpu_kernel", "share", Kind::share, 1, +1, 0.03, Resource::cpu, kTotal},
     sensed<cpu_user_seconds>,
     [](const Readings& r) { return kernel_cpu_seconds(r) / r.cpus; },
     "/proc/stat"},
    {{"cpu_niced", "share", Kind::share, 1, +1, 0.03, Resource::cpu, kTotal},
     sensed<cpu_user_seconds>,
     [](const Readings& r) { return value(r, cpu_nice_seconds) / r.cpus; },
     "/proc/stat"},
    {{"wakeups", "1/s", Kind::rate, 500, +1, 0.15, Resource::cpu, kTotal},
     probed<KernelSensor::wakeups>,
     [](const Readings& r) { return count(r.counters.wakeups); },
     "raw_tp sched_wakeup"},
    {{"context_switches", "1/s", Kind::rate, 500, +1, 0.15, Resource::cpu, kTotal},
     sensed<context_switches>,
     plain<context_switches>,
     "/proc/stat"},
    {{"cpu_wait", "share", Kind::share, 1, +1, 0.06, Resource::cpu, kTotal},
     sensed<psi_cpu_some_seconds>,
     plain<psi_cpu_some_seconds>,
     "/proc/pressure/cpu"},
    {{"procs_running", "1", Kind::count, 1, +1, 0.2, Resource::cpu, kLevel},
     sensed<procs_running>,
     plain<procs_running>,
     "/proc/stat"},
    {{"forks", "1/s", Kind::rate, 10, +1, 0.15, Resource::tasks, kTotal}, sensed<forks>, plain<forks>, "/proc/stat"},
    {{"tasks", "1", Kind::number, 1, +1, 0.03, Resource::tasks, kLevel}, sensed<tasks>, plain<tasks>, "/proc/loadavg"},
    {{"anon_allocated", "bytes/s", Kind::rate, 1e6, +1, 0.15, Resource::memory, kTotal},
     probed<KernelSensor::memory>,
     [](const Readings& r) { return count(r.counters.anon_bytes); },
     "raw_tp mm_page_alloc"},
    {{"pages_allocated", "bytes/s", Kind::rate, 1e6, +1, 0.15, Resource::memory, kTotal},
     sensed_only<KernelSensor::memory, allocated_bytes>,
     plain<allocated_bytes>,
     "/proc/vmstat"},
    {{"page_faults", "1/s", Kind::rate, 500, +1, 0.15, Resource::memory, kTotal},
     probed<KernelSensor::faults>,
     [](const Readings& r) { return count(r.counters.faults); },
     "raw_tp page_fault_user or perf"},
    {{"page_faults", "1/s", Kind::rate, 500, +1, 0.15, Resource::memory, kTotal},
     sensed_only<KernelSensor::faults, page_faults>,
     plain<page_faults>,
     "/proc/vmstat"},
    {{"brk_calls", "1/s", Kind::rate, 10, +1, 0.15, Resource::memory, kTotal},
     [](const Readings& r) { return r.kernel->has(KernelSensor::brk) && !r.kernel->brk_in_turns(); },
     [](const Readings& r) { return count(r.counters.brk_calls); },
     "kprobe brk"},
    {{"memory_available", "of RAM", Kind::fraction, 1, -1, 0.005, Resource::memory, kLevel},
     sensed<memory_available_bytes>,
     per_memory<memory_available_bytes>,
     "/proc/meminfo"},
    {{"memory_anon", "of RAM", Kind::fraction, 1, +1, 0.005, Resource::memory, kLevel},
     sensed<Signal::anon_bytes>,
     per_memory<Signal::anon_bytes>,
     "/proc/meminfo"},
    {{"memory_shmem", "of RAM", Kind::fraction, 1, +1, 0.005, Resource::memory, kLevel},
     sensed<shmem_bytes>,
     per_memory<shmem_bytes>,
     "/proc/meminfo"},
    {{"memory_slab", "of RAM", Kind::fraction, 1, +1, 0.005, Resource::memory, kLevel},
     sensed<slab_bytes>,
     per_memory<slab_bytes>,
     "/proc/meminfo"},
    {{"direct_reclaims", "1/s", Kind::rate, 10, +1, 0.15, Resource::memory, kTotal},
     sensed<direct_reclaims>,
     plain<direct_reclaims>,
     "/proc/vmstat"},
    {{"refaults", "1/s", Kind::rate, 50, +1, 0.15, Resource::memory, kTotal},
     sensed<refault_file_pages>,
     plain<refault_file_pages>,
     "/proc/vmstat"},
    {{"swapped", "pages/s", Kind::rate, 100, +1, 0.15, Resource::memory, kTotal},
     [](const Readings& r) { return r.sample->has(swap_out_pages) && value(r, swap_total_bytes) > 0; },
     [](const Readings& r) { return value(r, swap_in_pages) + value(r, swap_out_pages); },
     "/proc/vmstat"},
    {{"memory_wait_some", "share", Kind::share, 1, +1, 0.03, Resource::memory, kTotal},
     sensed<psi_memory_some_seconds>,
     plain<psi_memory_some_seconds>,
     "/proc/pressure/memory",
     true},
    {{"memory_wait_full", "share", Kind::share, 1, +1, 0.03, Resource::memory, kTotal},
     sensed<psi_memory_full_seconds>,
     plain<psi_memory_full_seconds>,
     "/proc/pressure/memory",
     true},
    {{"block_issues", "1/s", Kind::rate, 20, +1, 0.15, Resource::io, kTotal},
     probed<KernelSensor::block_io>,
     [](const Readings& r) { return count(r.counters.block_issues); },
     "raw_tp block_rq_issue"},
    {{"block_issues", "1/s", Kind::rate, 20, +1, 0.15, Resource::io, kTotal},
     sensed_only<KernelSensor::block_io, disk_reads>,
     [](const Readings& r) { return value(r, disk_reads) + value(r, disk_writes); },
     "/proc/diskstats"},
    {{"disk_read", "bytes/s", Kind::rate, 1e5, +1, 0.15, Resource::io, kTotal},
     sensed<disk_read_bytes>,
     plain<disk_read_bytes>,
     "/proc/diskstats"},
    {{"disk_written", "bytes/s", Kind::rate, 1e5, +1, 0.15, Resource::io, kTotal},
     sensed<disk_write_bytes>,
     plain<disk_write_bytes>,
     "/proc/diskstats"},
    {{"io_wait", "share", Kind::share, 1, +1, 0.09, Resource::io, kTotal},
     sensed<psi_io_some_seconds>,
     plain<psi_io_some_seconds>,
     "/proc/pressure/io"},
    {{"network_packets", "1/s", Kind::rate, 100, +1, 0.15, Resource::network, kTotal},
     sensed<net_rx_packets>,
     [](const Readings& r) { return value(r, net_rx_packets) + value(r, net_tx_packets) + value(r, loopback_packets); },
     "/proc/net/dev"},
    {{"network_drops", "1/s", Kind::rate, 10, +1, 0.6, Resource::network, kTotal},
     sensed<net_drops>,
     plain<net_drops>,
     "/proc/net/dev"},
    {{"connections", "1/s", Kind::rate, 10, +1, 0.15, Resource::network, kTotal},
     sensed<tcp_passive_opens>,
     [](const Readings& r) { return value(r, tcp_active_opens) + value(r, tcp_passive_opens); },
     "/proc/net/snmp"},
    {{"retransmits", "1/s", Kind::rate, 10, +1, 0.6, Resource::network, kTotal},
     sensed<tcp_retransmits>,
     plain<tcp_retransmits>,
     "/proc/net/snmp"},
    {{"sockets", "1", Kind::number, 1, +1, 0.03, Resource::network, kLevel},
     sensed<sockets_used>,
     plain<sockets_used>,
     "/proc/net/sockstat"},
    {{"open_files", "1", Kind::number, 1, +1, 0.03, Resource::tasks, kLevel},
     sensed<open_files>,
     plain<open_files>,
     "/proc/sys/fs/file-nr"},
};
static_assert(sizeof kRows / sizeof kRows[0] <= detect::kMaxDimensions);

}  // namespace

void StateVector::select(const Readings& readings) {
  size_ = 0;
  for (const Row& row : kRows) {
    if (!row.exists(readings)) continue;
    dimensions_[size_] = row.dimension;
    readers_[size_] = row.read;
    sources_[size_] = row.source;
    memory_pressure_[size_] = row.memory_pressure;
    ++size_;
  }
}

std::span<const double> StateVector::read(const Readings& readings, bool own_containment) {
  for (std::size_t i = 0; i < size_; ++i) {
    const double reading = readers_[i](readings);
    // A running total that is held keeps standing, and goes on from there afterwards: its rate is 0, without a jump.
    if (memory_pressure_[i] && own_containment) hold_offset_[i] += reading - raw_[i];
    raw_[i] = reading;
    values_[i] = reading - hold_offset_[i];
  }
  return {values_.data(), size_};
}

}  // namespace hosa
