// Every raw value that can be sensed from /proc, as one dense enum: the columns of a Sample, in the order in which a
// recording writes them (append only, so that old recordings can be replayed). A counter is cumulative since boot (its
// rate is formed by who reads it; sums over disks and interfaces fall when a device is taken out), a level is what is
// so now.
#pragma once
#include <cstddef>
#include <string_view>

namespace hosa {

enum class Signal : unsigned char {
  // /proc/stat: seconds of CPU time, all CPUs together
  cpu_user_seconds,
  cpu_nice_seconds,
  cpu_system_seconds,
  cpu_idle_seconds,
  cpu_iowait_seconds,
  cpu_irq_seconds,
  cpu_softirq_seconds,
  cpu_steal_seconds,
  context_switches,
  interrupts,
  forks,
  procs_running,
  procs_blocked,
  // /proc/loadavg, /proc/sys/fs/file-nr
  tasks,
  open_files,
  open_files_max,
  // /proc/meminfo, bytes
  memory_total_bytes,
  memory_available_bytes,
  memory_free_bytes,
  cached_bytes,
  active_file_bytes,
  inactive_file_bytes,
  anon_bytes,
  shmem_bytes,
  slab_bytes,
  slab_reclaimable_bytes,
  slab_unreclaimable_bytes,
  dirty_bytes,
  swap_total_bytes,
  swap_free_bytes,
  // /proc/vmstat; pages become bytes by the machine's page size
  page_faults,
  major_faults,
  allocated_bytes,
  swap_in_pages,
  swap_out_pages,
  direct_reclaims,
  refault_file_pages,
  refault_anon_pages,
  scanned_pages,
  reclaimed_pages,
  huge_page_faults,
  oom_kills,
  // /proc/pressure, seconds of waiting
  psi_cpu_some_seconds,
  psi_cpu_full_seconds,
  psi_memory_some_seconds,
  psi_memory_full_seconds,
  psi_io_some_seconds,
  psi_io_full_seconds,
  // /proc/diskstats, whole disks
  disk_reads,
  disk_writes,
  disk_read_bytes,
  disk_write_bytes,
  disk_busy_seconds,
  // /proc/net/dev, interfaces that lead out; then lo
  net_rx_packets,
  net_rx_bytes,
  net_tx_packets,
  net_tx_bytes,
  net_drops,
  loopback_packets,
  loopback_bytes,
  // /proc/net/snmp
  tcp_active_opens,
  tcp_passive_opens,
  tcp_retransmits,
  tcp_resets_sent,
  udp_in,
  udp_out,
  // /proc/net/sockstat
  sockets_used,
  tcp_in_use,
  tcp_memory_bytes,
  udp_memory_bytes,
  // /proc/buddyinfo, 0..1
  free_order_entropy,
  // /proc/diskstats: seconds that all completed requests have taken, summed; /proc/net/netstat
  disk_request_seconds,
  listen_drops,
  // sysfs, where the board has them
  board_celsius,
  board_slowed,
  board_undervoltage,
};
constexpr std::size_t kSignals = static_cast<std::size_t>(Signal::board_undervoltage) + 1;

enum class SignalKind : unsigned char { counter, level };

struct SignalInfo {
  Signal signal;
  std::string_view name;    // as the enum says it; stable, used in recordings and `hosa sense`
  std::string_view source;  // the file below /proc, or sysfs
  SignalKind kind;
};

const SignalInfo& signal_info(Signal signal);

}  // namespace hosa
