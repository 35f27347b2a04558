#include "proprioception/signal.h"

namespace hosa {

namespace {

using enum Signal;
constexpr SignalKind kCounter = SignalKind::counter, kLevel = SignalKind::level;

constexpr SignalInfo kTable[] = {
    {cpu_user_seconds, "cpu_user_seconds", "stat", kCounter},
    {cpu_nice_seconds, "cpu_nice_seconds", "stat", kCounter},
    {cpu_system_seconds, "cpu_system_seconds", "stat", kCounter},
    {cpu_idle_seconds, "cpu_idle_seconds", "stat", kCounter},
    {cpu_iowait_seconds, "cpu_iowait_seconds", "stat", kCounter},
    {cpu_irq_seconds, "cpu_irq_seconds", "stat", kCounter},
    {cpu_softirq_seconds, "cpu_softirq_seconds", "stat", kCounter},
    {cpu_steal_seconds, "cpu_steal_seconds", "stat", kCounter},
    {context_switches, "context_switches", "stat", kCounter},
    {interrupts, "interrupts", "stat", kCounter},
    {forks, "forks", "stat", kCounter},
    {procs_running, "procs_running", "stat", kLevel},
    {procs_blocked, "procs_blocked", "stat", kLevel},
    {tasks, "tasks", "loadavg", kLevel},
    {open_files, "open_files", "sys/fs/file-nr", kLevel},
    {open_files_max, "open_files_max", "sys/fs/file-nr", kLevel},
    {memory_total_bytes, "memory_total_bytes", "meminfo", kLevel},
    {memory_available_bytes, "memory_available_bytes", "meminfo", kLevel},
    {memory_free_bytes, "memory_free_bytes", "meminfo", kLevel},
    {cached_bytes, "cached_bytes", "meminfo", kLevel},
    {active_file_bytes, "active_file_bytes", "meminfo", kLevel},
    {inactive_file_bytes, "inactive_file_bytes", "meminfo", kLevel},
    {anon_bytes, "anon_bytes", "meminfo", kLevel},
    {shmem_bytes, "shmem_bytes", "meminfo", kLevel},
    {slab_bytes, "slab_bytes", "meminfo", kLevel},
    {slab_reclaimable_bytes, "slab_reclaimable_bytes", "meminfo", kLevel},
    {slab_unreclaimable_bytes, "slab_unreclaimable_bytes", "meminfo", kLevel},
    {dirty_bytes, "dirty_bytes", "meminfo", kLevel},
    {swap_total_bytes, "swap_total_bytes", "meminfo", kLevel},
    {swap_free_bytes, "swap_free_bytes", "meminfo", kLevel},
    {page_faults, "page_faults", "vmstat", kCounter},
    {major_faults, "major_faults", "vmstat", kCounter},
    {allocated_bytes, "allocated_bytes", "vmstat", kCounter},
    {swap_in_pages, "swap_in_pages", "vmstat", kCounter},
    {swap_out_pages, "swap_out_pages", "vmstat", kCounter},
    {direct_reclaims, "direct_reclaims", "vmstat", kCounter},
    {refault_file_pages, "refault_file_pages", "vmstat", kCounter},
    {refault_anon_pages, "refault_anon_pages", "vmstat", kCounter},
    {scanned_pages, "scanned_pages", "vmstat", kCounter},
    {reclaimed_pages, "reclaimed_pages", "vmstat", kCounter},
    {huge_page_faults, "huge_page_faults", "vmstat", kCounter},
    {oom_kills, "oom_kills", "vmstat", kCounter},
    {psi_cpu_some_seconds, "psi_cpu_some_seconds", "pressure/cpu", kCounter},
    {psi_cpu_full_seconds, "psi_cpu_full_seconds", "pressure/cpu", kCounter},
    {psi_memory_some_seconds, "psi_memory_some_seconds", "pressure/memory", kCounter},
    {psi_memory_full_seconds, "psi_memory_full_seconds", "pressure/memory", kCounter},
    {psi_io_some_seconds, "psi_io_some_seconds", "pressure/io", kCounter},
    {psi_io_full_seconds, "psi_io_full_seconds", "pressure/io", kCounter},
    {disk_reads, "disk_reads", "diskstats", kCounter},
    {disk_writes, "disk_writes", "diskstats", kCounter},
    {disk_read_bytes, "disk_read_bytes", "diskstats", kCounter},
    {disk_write_bytes, "disk_write_bytes", "diskstats", kCounter},
    {disk_busy_seconds, "disk_busy_seconds", "diskstats", kCounter},
    {net_rx_packets, "net_rx_packets", "net/dev", kCounter},
    {net_rx_bytes, "net_rx_bytes", "net/dev", kCounter},
    {net_tx_packets, "net_tx_packets", "net/dev", kCounter},
    {net_tx_bytes, "net_tx_bytes", "net/dev", kCounter},
    {net_drops, "net_drops", "net/dev", kCounter},
    {loopback_packets, "loopback_packets", "net/dev", kCounter},
    {loopback_bytes, "loopback_bytes", "net/dev", kCounter},
    {tcp_active_opens, "tcp_active_opens", "net/snmp", kCounter},
    {tcp_passive_opens, "tcp_passive_opens", "net/snmp", kCounter},
    {tcp_retransmits, "tcp_retransmits", "net/snmp", kCounter},
    {tcp_resets_sent, "tcp_resets_sent", "net/snmp", kCounter},
    {udp_in, "udp_in", "net/snmp", kCounter},
    {udp_out, "udp_out", "net/snmp", kCounter},
    {sockets_used, "sockets_used", "net/sockstat", kLevel},
    {tcp_in_use, "tcp_in_use", "net/sockstat", kLevel},
    {tcp_memory_bytes, "tcp_memory_bytes", "net/sockstat", kLevel},
    {udp_memory_bytes, "udp_memory_bytes", "net/sockstat", kLevel},
    {free_order_entropy, "free_order_entropy", "buddyinfo", kLevel},
    {disk_request_seconds, "disk_request_seconds", "diskstats", kCounter},
    {listen_drops, "listen_drops", "net/netstat", kCounter},
    {board_celsius, "board_celsius", "sysfs thermal", kLevel},
    {board_slowed, "board_slowed", "sysfs cpufreq", kLevel},
    {board_undervoltage, "board_undervoltage", "sysfs hwmon", kLevel},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(kTable); ++i)
    if (static_cast<std::size_t>(kTable[i].signal) != i) return false;
  return std::size(kTable) == kSignals;
}
static_assert(in_order(), "the table must follow the enum");

}  // namespace

const SignalInfo& signal_info(Signal signal) {
  return kTable[static_cast<std::size_t>(signal)];
}

}  // namespace hosa
