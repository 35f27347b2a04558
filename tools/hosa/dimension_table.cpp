#include "tools/hosa/dimension_table.h"

namespace hosa {
namespace {

using detect::Kind;
using detect::Resource;
using enum Signal;

double value(const Readings& r, Signal signal) {
  return (*r.sample)[signal];
}
double kernel_cpu_seconds(const Readings& r) {
  return value(r, cpu_system_seconds) + value(r, cpu_irq_seconds) + value(r, cpu_softirq_seconds);
}
double busy_cpu_seconds(const Readings& r) {
  return value(r, cpu_user_seconds) + value(r, cpu_nice_seconds) + kernel_cpu_seconds(r) + value(r, cpu_steal_seconds);
}

template <Signal kSignal>
bool sensed(const Readings& r) {
  return r.sample->has(kSignal);
}
template <KernelSensor kSensor>
bool probed(const Readings& r) {
  return r.kernel->has(kSensor);
}
template <Signal kSignal>
double plain(const Readings& r) {
  return value(r, kSignal);
}
template <uint64_t Counters::*kCounter>
double counted(const Readings& r) {
  return static_cast<double>(r.counters.*kCounter);
}
template <Signal kSignal>
double per_memory(const Readings& r) {
  const double total = value(r, memory_total_bytes);
  return total > 0 ? value(r, kSignal) / total : 0;
}
template <unsigned kCache>
bool has_cache(const Readings& r) {
  return kCache < r.hardware->cache_groups;
}
template <unsigned kCache>
double cache_busy(const Readings& r) {
  return r.hardware->cache_busy_seconds[kCache] / r.hardware->cache_cpus[kCache];
}
template <unsigned kNode>
bool has_node(const Readings& r) {
  return kNode < r.hardware->nodes;
}
template <unsigned kNode>
double node_available(const Readings& r) {
  return r.hardware->node_available[kNode];
}

constexpr bool kTotal = true, kLevel = false;  // Dimension::cumulative

// Scales and floors: the recordings' schema (detection.md 2, step 1); those of dimensions that the recordings lack are
// of the same order as their nearest neighbour there.
constexpr DimensionRow kRows[] = {
    {{"cpu_busy", "share", Kind::share, 1, +1, 0.03, Resource::cpu, kTotal},
     "CPU time not idle, stolen time included",
     {{"/proc/stat", Need::file, sensed<cpu_user_seconds>,
       [](const Readings& r) { return busy_cpu_seconds(r) / r.cpus; }}}},
    {{"cpu_kernel", "share", Kind::share, 1, +1, 0.03, Resource::cpu, kTotal},
     "CPU time in the kernel, interrupts included",
     {{"/proc/stat", Need::file, sensed<cpu_user_seconds>,
       [](const Readings& r) { return kernel_cpu_seconds(r) / r.cpus; }}}},
    {{"cpu_niced", "share", Kind::share, 1, +1, 0.03, Resource::cpu, kTotal},
     "CPU time of niced processes",
     {{"/proc/stat", Need::file, sensed<cpu_user_seconds>,
       [](const Readings& r) { return value(r, cpu_nice_seconds) / r.cpus; }}}},
    {{"wakeups", "1/s", Kind::rate, 500, +1, 0.15, Resource::cpu, kTotal},
     "tasks woken",
     {{"raw_tp sched_wakeup", Need::wakeup_probe, probed<KernelSensor::wakeups>, counted<&Counters::wakeups>}}},
    {{"context_switches", "1/s", Kind::rate, 500, +1, 0.15, Resource::cpu, kTotal},
     "switches from task to task",
     {{"/proc/stat", Need::file, sensed<context_switches>, plain<context_switches>}}},
    {{"cpu_wait", "share", Kind::share, 1, +1, 0.06, Resource::cpu, kTotal},
     "time in which somebody waited for a CPU",
     {{"/proc/pressure/cpu", Need::psi, sensed<psi_cpu_some_seconds>, plain<psi_cpu_some_seconds>}}},
    {{"procs_running", "1", Kind::count, 1, +1, 0.2, Resource::cpu, kLevel},
     "runnable tasks",
     {{"/proc/stat", Need::file, sensed<procs_running>, plain<procs_running>}}},
    {{"forks", "1/s", Kind::rate, 10, +1, 0.15, Resource::tasks, kTotal},
     "tasks born, threads too",
     {{"/proc/stat", Need::file, sensed<forks>, plain<forks>}}},
    {{"execs", "1/s", Kind::rate, 10, +1, 0.15, Resource::tasks, kTotal},
     "programs started",
     {{"raw_tp sched_process_exec", Need::fork_probe, probed<KernelSensor::execs>, counted<&Counters::execs>}}},
    {{"exits", "1/s", Kind::rate, 10, +1, 0.15, Resource::tasks, kTotal},
     "tasks gone, threads too",
     {{"raw_tp sched_process_exit", Need::fork_probe, probed<KernelSensor::exits>, counted<&Counters::exits>}}},
    {{"tasks", "1", Kind::number, 1, +1, 0.03, Resource::tasks, kLevel},
     "tasks that exist",
     {{"/proc/loadavg", Need::file, sensed<tasks>, plain<tasks>}}},
    // Each CPU keeps up to 32 to itself before the kernel's count changes (seen: 64, 96, 128 with one CPU
    // on 6.1, 6.12).
    {{"open_files", "1", Kind::number, 32, +1, 0.03, Resource::tasks, kLevel},
     "open file descriptions",
     {{"/proc/sys/fs/file-nr", Need::file, sensed<open_files>, plain<open_files>}}},
    {{"memory_allocated", "bytes/s", Kind::rate, 1e6, +1, 0.15, Resource::memory, kTotal},
     "anonymous memory handed out, gross",
     {{"raw_tp mm_page_alloc", Need::memory_probe, probed<KernelSensor::memory>, counted<&Counters::anon_bytes>},
      {"/proc/vmstat pgalloc", Need::file, sensed<allocated_bytes>, plain<allocated_bytes>,
       "file cache and kernel memory count too; nobody is named by it"}}},
    {{"page_faults", "1/s", Kind::rate, 500, +1, 0.15, Resource::memory, kTotal},
     "page faults",
     {{"/proc/vmstat pgfault", Need::file, sensed<page_faults>, plain<page_faults>},
      {"perf counter", Need::fault_probe, probed<KernelSensor::faults>, counted<&Counters::faults>}}},
    {{"brk_calls", "1/s", Kind::rate, 10, +1, 0.15, Resource::memory, kTotal},
     "heaps moved (brk)",
     {{"kprobe brk", Need::brk_probe,
       [](const Readings& r) { return r.kernel->has(KernelSensor::brk) && !r.kernel->brk_in_turns(); },
       counted<&Counters::brk_calls>}}},
    {{"memory_available", "of RAM", Kind::fraction, 1, -1, 0.005, Resource::memory, kLevel},
     "what could be had without swapping",
     {{"/proc/meminfo MemAvailable", Need::file, sensed<memory_available_bytes>, per_memory<memory_available_bytes>}}},
    {{"memory_anon", "of RAM", Kind::fraction, 1, +1, 0.005, Resource::memory, kLevel},
     "net growth of what cannot be dropped: anonymous",
     {{"/proc/meminfo AnonPages", Need::file, sensed<Signal::anon_bytes>, per_memory<Signal::anon_bytes>}}},
    {{"memory_shmem", "of RAM", Kind::fraction, 1, +1, 0.005, Resource::memory, kLevel},
     "the same: tmpfs and shared memory",
     {{"/proc/meminfo Shmem", Need::file, sensed<shmem_bytes>, per_memory<shmem_bytes>}}},
    {{"memory_slab", "of RAM", Kind::fraction, 1, +1, 0.005, Resource::memory, kLevel},
     "the same: kernel objects",
     {{"/proc/meminfo Slab", Need::file, sensed<slab_bytes>, per_memory<slab_bytes>}}},
    {{"direct_reclaims", "1/s", Kind::rate, 10, +1, 0.15, Resource::memory, kTotal},
     "times somebody had to free memory before getting some",
     {{"/proc/vmstat allocstall", Need::file, sensed<direct_reclaims>, plain<direct_reclaims>}}},
    {{"refaults", "1/s", Kind::rate, 50, +1, 0.15, Resource::memory, kTotal},
     "file pages read again soon after they were dropped",
     {{"/proc/vmstat", Need::file, sensed<refault_file_pages>, plain<refault_file_pages>}}},
    {{"swapped", "pages/s", Kind::rate, 100, +1, 0.15, Resource::memory, kTotal},
     "pages swapped in and out",
     {{"/proc/vmstat pswpin pswpout", Need::swap,
       [](const Readings& r) { return r.sample->has(swap_out_pages) && value(r, swap_total_bytes) > 0; },
       [](const Readings& r) { return value(r, swap_in_pages) + value(r, swap_out_pages); }}}},
    {{"memory_wait_some", "share", Kind::share, 1, +1, 0.03, Resource::memory, kTotal},
     "time in which somebody waited for memory",
     {{"/proc/pressure/memory", Need::psi, sensed<psi_memory_some_seconds>, plain<psi_memory_some_seconds>}},
     true},
    {{"memory_wait_full", "share", Kind::share, 1, +1, 0.03, Resource::memory, kTotal},
     "time in which everybody waited for memory",
     {{"/proc/pressure/memory", Need::psi, sensed<psi_memory_full_seconds>, plain<psi_memory_full_seconds>}},
     true},
    {{"free_order_entropy", "0..1", Kind::share, 1, -1, 0.05, Resource::memory, kLevel},
     "how evenly free memory is spread over block sizes (H_frag)",
     {{"/proc/buddyinfo", Need::file, sensed<free_order_entropy>, plain<free_order_entropy>}}},
    {{"block_issues", "1/s", Kind::rate, 20, +1, 0.15, Resource::io, kTotal},
     "requests to block devices",
     {{"raw_tp block_rq_issue", Need::block_probe, probed<KernelSensor::block_io>, counted<&Counters::block_issues>},
      {"/proc/diskstats", Need::file, sensed<disk_reads>,
       [](const Readings& r) { return value(r, disk_reads) + value(r, disk_writes); },
       "counted when they are done, whole disks only"}}},
    {{"disk_read", "bytes/s", Kind::rate, 1e5, +1, 0.15, Resource::io, kTotal},
     "read from disks",
     {{"/proc/diskstats", Need::file, sensed<disk_read_bytes>, plain<disk_read_bytes>}}},
    {{"disk_written", "bytes/s", Kind::rate, 1e5, +1, 0.15, Resource::io, kTotal},
     "written to disks",
     {{"/proc/diskstats", Need::file, sensed<disk_write_bytes>, plain<disk_write_bytes>}}},
    {{"disk_latency", "ms", Kind::rate, 1, +1, 0.3, Resource::io, kLevel},
     "mean time of a request, queueing included",
     {{"/proc/diskstats", Need::file, sensed<disk_request_seconds>,
       [](const Readings& r) { return r.io_latency_s * 1e3; }}}},
    {{"io_wait", "share", Kind::share, 1, +1, 0.09, Resource::io, kTotal},
     "time in which somebody waited for a disk",
     {{"/proc/pressure/io", Need::psi, sensed<psi_io_some_seconds>, plain<psi_io_some_seconds>}}},
    {{"packets_in", "1/s", Kind::rate, 100, +1, 0.15, Resource::network, kTotal},
     "packets received, loopback included",
     {{"/proc/net/dev", Need::file, sensed<net_rx_packets>,
       [](const Readings& r) { return value(r, net_rx_packets) + value(r, loopback_packets); }}}},
    {{"packets_out", "1/s", Kind::rate, 100, +1, 0.15, Resource::network, kTotal},
     "packets sent to the outside",
     {{"/proc/net/dev", Need::file, sensed<net_tx_packets>, plain<net_tx_packets>}}},
    {{"network_drops", "1/s", Kind::rate, 10, +1, 0.6, Resource::network, kTotal},
     "packets and connections dropped for want of room",
     {{"/proc/net/dev, /proc/net/netstat", Need::file, sensed<net_drops>,
       [](const Readings& r) { return value(r, net_drops) + value(r, listen_drops); }}}},
    {{"connections_in", "1/s", Kind::rate, 10, +1, 0.15, Resource::network, kTotal},
     "TCP connections accepted",
     {{"/proc/net/snmp PassiveOpens", Need::file, sensed<tcp_passive_opens>, plain<tcp_passive_opens>}}},
    {{"connections_out", "1/s", Kind::rate, 10, +1, 0.15, Resource::network, kTotal},
     "TCP connections begun",
     {{"/proc/net/snmp ActiveOpens", Need::file, sensed<tcp_active_opens>, plain<tcp_active_opens>}}},
    {{"retransmits", "1/s", Kind::rate, 10, +1, 0.6, Resource::network, kTotal},
     "TCP segments sent again",
     {{"/proc/net/snmp RetransSegs", Need::file, sensed<tcp_retransmits>, plain<tcp_retransmits>}}},
    {{"sockets", "1", Kind::number, 1, +1, 0.03, Resource::network, kLevel},
     "sockets that exist",
     {{"/proc/net/sockstat", Need::file, sensed<sockets_used>, plain<sockets_used>}}},
    {{"board_celsius", "C", Kind::number, 1, +1, 0.05, Resource::board, kLevel},
     "the warmest thermal zone",
     {{"sysfs thermal", Need::board, sensed<board_celsius>, plain<board_celsius>}}},
    {{"board_slowed", "share", Kind::fraction, 1, +1, 0.05, Resource::board, kLevel},
     "by how much the most limited CPU is kept below its highest frequency",
     {{"sysfs cpufreq", Need::board, sensed<board_slowed>, plain<board_slowed>}}},
    {{"board_undervoltage", "0 or 1", Kind::fraction, 1, +1, 0.2, Resource::board, kLevel},
     "the supply sags",
     {{"sysfs hwmon", Need::board, sensed<board_undervoltage>, plain<board_undervoltage>}}},
    {{"cpu_busy_cache0", "share", Kind::share, 1, +1, 0.05, Resource::cpu, kTotal},
     "CPU time not idle, of the CPUs that share last-level cache (group) 0",
     {{"/proc/stat cpuN", Need::several, has_cache<0>, cache_busy<0>}}},
    {{"cpu_busy_cache1", "share", Kind::share, 1, +1, 0.05, Resource::cpu, kTotal},
     "CPU time not idle, of the CPUs that share last-level cache (group) 1",
     {{"/proc/stat cpuN", Need::several, has_cache<1>, cache_busy<1>}}},
    {{"cpu_busy_cache2", "share", Kind::share, 1, +1, 0.05, Resource::cpu, kTotal},
     "CPU time not idle, of the CPUs that share last-level cache (group) 2",
     {{"/proc/stat cpuN", Need::several, has_cache<2>, cache_busy<2>}}},
    {{"cpu_busy_cache3", "share", Kind::share, 1, +1, 0.05, Resource::cpu, kTotal},
     "CPU time not idle, of the CPUs that share last-level cache (group) 3",
     {{"/proc/stat cpuN", Need::several, has_cache<3>, cache_busy<3>}}},
    {{"cpu_busy_cache4", "share", Kind::share, 1, +1, 0.05, Resource::cpu, kTotal},
     "CPU time not idle, of the CPUs that share last-level cache (group) 4",
     {{"/proc/stat cpuN", Need::several, has_cache<4>, cache_busy<4>}}},
    {{"cpu_busy_cache5", "share", Kind::share, 1, +1, 0.05, Resource::cpu, kTotal},
     "CPU time not idle, of the CPUs that share last-level cache (group) 5",
     {{"/proc/stat cpuN", Need::several, has_cache<5>, cache_busy<5>}}},
    {{"cpu_busy_cache6", "share", Kind::share, 1, +1, 0.05, Resource::cpu, kTotal},
     "CPU time not idle, of the CPUs that share last-level cache (group) 6",
     {{"/proc/stat cpuN", Need::several, has_cache<6>, cache_busy<6>}}},
    {{"cpu_busy_cache7", "share", Kind::share, 1, +1, 0.05, Resource::cpu, kTotal},
     "CPU time not idle, of the CPUs that share last-level cache (group) 7",
     {{"/proc/stat cpuN", Need::several, has_cache<7>, cache_busy<7>}}},
    {{"memory_available_node0", "of node", Kind::fraction, 1, -1, 0.01, Resource::memory, kLevel},
     "what could be had without swapping on (real) memory node 0",
     {{"sysfs nodeN/meminfo", Need::several, has_node<0>, node_available<0>}}},
    {{"memory_available_node1", "of node", Kind::fraction, 1, -1, 0.01, Resource::memory, kLevel},
     "what could be had without swapping on (real) memory node 1",
     {{"sysfs nodeN/meminfo", Need::several, has_node<1>, node_available<1>}}},
    {{"memory_available_node2", "of node", Kind::fraction, 1, -1, 0.01, Resource::memory, kLevel},
     "what could be had without swapping on (real) memory node 2",
     {{"sysfs nodeN/meminfo", Need::several, has_node<2>, node_available<2>}}},
    {{"memory_available_node3", "of node", Kind::fraction, 1, -1, 0.01, Resource::memory, kLevel},
     "what could be had without swapping on (real) memory node 3",
     {{"sysfs nodeN/meminfo", Need::several, has_node<3>, node_available<3>}}},
    {{"memory_available_node4", "of node", Kind::fraction, 1, -1, 0.01, Resource::memory, kLevel},
     "what could be had without swapping on (real) memory node 4",
     {{"sysfs nodeN/meminfo", Need::several, has_node<4>, node_available<4>}}},
    {{"memory_available_node5", "of node", Kind::fraction, 1, -1, 0.01, Resource::memory, kLevel},
     "what could be had without swapping on (real) memory node 5",
     {{"sysfs nodeN/meminfo", Need::several, has_node<5>, node_available<5>}}},
    {{"memory_available_node6", "of node", Kind::fraction, 1, -1, 0.01, Resource::memory, kLevel},
     "what could be had without swapping on (real) memory node 6",
     {{"sysfs nodeN/meminfo", Need::several, has_node<6>, node_available<6>}}},
    {{"memory_available_node7", "of node", Kind::fraction, 1, -1, 0.01, Resource::memory, kLevel},
     "what could be had without swapping on (real) memory node 7",
     {{"sysfs nodeN/meminfo", Need::several, has_node<7>, node_available<7>}}},
};
static_assert(sizeof kRows / sizeof kRows[0] <= detect::kMaxDimensions);

}  // namespace

std::span<const DimensionRow> dimension_table() {
  return kRows;
}

}  // namespace hosa
