#include "proprioception/sensors.h"

#include <time.h>
#include <unistd.h>

#include "proprioception/buddyinfo.h"
#include "proprioception/diskstats.h"
#include "proprioception/kernel_stat.h"
#include "proprioception/meminfo.h"
#include "proprioception/network_counters.h"
#include "proprioception/pressure.h"
#include "proprioception/vmstat.h"

namespace hosa {

namespace {

void put(Sample& sample, Signal signal, double value) {
  const auto i = static_cast<std::size_t>(signal);
  sample.value[i] = value;
  sample.present[i] = true;
}

void put(Sample& sample, Signal signal, std::optional<uint64_t> value, double unit = 1.0) {
  if (value) put(sample, signal, static_cast<double>(*value) * unit);
}

// A sum over devices is 0 while there is none: a network card may be plugged in later.
void put_sum(Sample& sample, Signal signal, std::optional<uint64_t> sum, double unit = 1.0) {
  put(sample, signal, sum.value_or(0), unit);
}

uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000ULL + static_cast<uint64_t>(now.tv_nsec);
}

void put_pressure(Sample& sample, const KernelText& file, std::span<char> buffer, Signal some, Signal full) {
  constexpr double kMicrosecond = 1e-6;
  const auto text = file.read(buffer);
  if (!text) return;
  const Pressure pressure = parse_pressure(*text);
  put(sample, some, pressure.some_us, kMicrosecond);
  put(sample, full, pressure.full_us, kMicrosecond);
}

}  // namespace

Sensors Sensors::open(const Fd& proc, Without without) {
  Sensors sensors;
  sensors.page_bytes_ = static_cast<double>(::sysconf(_SC_PAGESIZE));
  sensors.ticks_per_second_ = static_cast<double>(::sysconf(_SC_CLK_TCK));
  sensors.stat_ = KernelText::open(proc, "stat");
  sensors.loadavg_ = KernelText::open(proc, "loadavg");
  sensors.file_nr_ = KernelText::open(proc, "sys/fs/file-nr");
  sensors.meminfo_ = KernelText::open(proc, "meminfo");
  sensors.vmstat_ = KernelText::open(proc, "vmstat");
  sensors.buddyinfo_ = KernelText::open(proc, "buddyinfo");
  sensors.diskstats_ = KernelText::open(proc, "diskstats");
  sensors.net_dev_ = KernelText::open(proc, "net/dev");
  sensors.net_snmp_ = KernelText::open(proc, "net/snmp");
  sensors.netstat_ = KernelText::open(proc, "net/netstat");
  sensors.sockstat_ = KernelText::open(proc, "net/sockstat");
  if (without.psi) return sensors;
  sensors.cpu_pressure_ = KernelText::open(proc, "pressure/cpu");
  sensors.memory_pressure_ = KernelText::open(proc, "pressure/memory");
  sensors.io_pressure_ = KernelText::open(proc, "pressure/io");
  return sensors;
}

void Sensors::read(Sample& sample) {
  char buffer[kKernelTextBytes];
  sample = Sample{};
  read_cpu(sample, buffer);
  read_memory(sample, buffer);
  read_vmstat(sample, buffer);
  read_pressure(sample, buffer);
  read_disks(sample, buffer);
  read_network(sample, buffer);
  sample.monotonic_ns = clock_ns(CLOCK_MONOTONIC);
  sample.boottime_ns = clock_ns(CLOCK_BOOTTIME);
}

void Sensors::read_cpu(Sample& sample, std::span<char> buffer) const {
  if (const auto text = stat_.read(buffer)) {
    const KernelStat stat = parse_kernel_stat(*text);
    if (stat.cpu) {
      const double second = 1.0 / ticks_per_second_;
      put(sample, Signal::cpu_user_seconds, stat.cpu->user, second);
      put(sample, Signal::cpu_nice_seconds, stat.cpu->nice, second);
      put(sample, Signal::cpu_system_seconds, stat.cpu->system, second);
      put(sample, Signal::cpu_idle_seconds, stat.cpu->idle, second);
      put(sample, Signal::cpu_iowait_seconds, stat.cpu->iowait, second);
      put(sample, Signal::cpu_irq_seconds, stat.cpu->irq, second);
      put(sample, Signal::cpu_softirq_seconds, stat.cpu->softirq, second);
      put(sample, Signal::cpu_steal_seconds, stat.cpu->steal, second);
    }
    put(sample, Signal::context_switches, stat.context_switches);
    put(sample, Signal::interrupts, stat.interrupts);
    put(sample, Signal::forks, stat.forks);
    put(sample, Signal::procs_running, stat.procs_running);
    put(sample, Signal::procs_blocked, stat.procs_blocked);
  }
  if (const auto text = loadavg_.read(buffer)) put(sample, Signal::tasks, parse_task_count(*text));
  // The kernel zeroes as many bytes as a reader of a sysctl asks for (fs/proc/proc_sysctl.c): 1.1 ms with 64 KB.
  if (const auto text = file_nr_.read(buffer.first(64))) {
    const OpenFiles files = parse_file_nr(*text);
    put(sample, Signal::open_files, files.open);
    put(sample, Signal::open_files_max, files.most);
  }
}

void Sensors::read_memory(Sample& sample, std::span<char> buffer) const {
  if (const auto text = meminfo_.read(buffer)) {
    const Meminfo memory = parse_meminfo(*text);
    put(sample, Signal::memory_total_bytes, memory.total_bytes);
    put(sample, Signal::memory_available_bytes, memory.available_bytes);
    put(sample, Signal::memory_free_bytes, memory.free_bytes);
    put(sample, Signal::cached_bytes, memory.cached_bytes);
    put(sample, Signal::active_file_bytes, memory.active_file_bytes);
    put(sample, Signal::inactive_file_bytes, memory.inactive_file_bytes);
    put(sample, Signal::anon_bytes, memory.anon_bytes);
    put(sample, Signal::shmem_bytes, memory.shmem_bytes);
    put(sample, Signal::slab_bytes, memory.slab_bytes);
    put(sample, Signal::slab_reclaimable_bytes, memory.slab_reclaimable_bytes);
    put(sample, Signal::slab_unreclaimable_bytes, memory.slab_unreclaimable_bytes);
    put(sample, Signal::dirty_bytes, memory.dirty_bytes);
    put(sample, Signal::swap_total_bytes, memory.swap_total_bytes);
    put(sample, Signal::swap_free_bytes, memory.swap_free_bytes);
  }
  if (const auto text = buddyinfo_.read(buffer))
    if (const auto entropy = free_order_entropy_norm(parse_buddyinfo(*text)))
      put(sample, Signal::free_order_entropy, *entropy);
}

void Sensors::read_vmstat(Sample& sample, std::span<char> buffer) const {
  const auto text = vmstat_.read(buffer);
  if (!text) return;
  const Vmstat vm = parse_vmstat(*text);
  put(sample, Signal::page_faults, vm.page_faults);
  put(sample, Signal::major_faults, vm.major_faults);
  put(sample, Signal::allocated_bytes, vm.pages_allocated, page_bytes_);
  put(sample, Signal::swap_in_pages, vm.swap_in_pages);
  put(sample, Signal::swap_out_pages, vm.swap_out_pages);
  put(sample, Signal::direct_reclaims, vm.direct_reclaims);
  put(sample, Signal::refault_file_pages, vm.refault_file);
  put(sample, Signal::refault_anon_pages, vm.refault_anon);
  put(sample, Signal::scanned_pages, vm.pages_scanned);
  put(sample, Signal::reclaimed_pages, vm.pages_reclaimed);
  put(sample, Signal::huge_page_faults, vm.huge_page_faults);
  put(sample, Signal::oom_kills, vm.oom_kills);
}

void Sensors::read_pressure(Sample& sample, std::span<char> buffer) const {
  put_pressure(sample, cpu_pressure_, buffer, Signal::psi_cpu_some_seconds, Signal::psi_cpu_full_seconds);
  put_pressure(sample, memory_pressure_, buffer, Signal::psi_memory_some_seconds, Signal::psi_memory_full_seconds);
  put_pressure(sample, io_pressure_, buffer, Signal::psi_io_some_seconds, Signal::psi_io_full_seconds);
}

void Sensors::read_disks(Sample& sample, std::span<char> buffer) const {
  const auto text = diskstats_.read(buffer);
  if (!text) return;
  const Diskstats disks = parse_diskstats(*text);
  put_sum(sample, Signal::disk_reads, disks.reads);
  put_sum(sample, Signal::disk_writes, disks.writes);
  put_sum(sample, Signal::disk_read_bytes, disks.read_bytes);
  put_sum(sample, Signal::disk_write_bytes, disks.write_bytes);
  put_sum(sample, Signal::disk_busy_seconds, disks.busy_ms, 1e-3);
  put_sum(sample, Signal::disk_request_seconds, disks.request_ms, 1e-3);
}

// Netstat is the dearest of these texts (1.5 ms of 6 on a 125 MIPS board), and no connection is refused unless a
// segment has come in.
std::optional<uint64_t> Sensors::listen_drops(std::optional<uint64_t> segments_in, std::span<char> buffer) {
  if (segments_in && segments_in == segments_in_) return listen_drops_;
  const auto text = netstat_.read(buffer);
  segments_in_ = segments_in;
  listen_drops_ = text ? parse_listen_drops(*text) : std::nullopt;
  return listen_drops_;
}

void Sensors::read_network(Sample& sample, std::span<char> buffer) {
  if (const auto text = net_dev_.read(buffer)) {
    const NetDev net = parse_net_dev(*text);
    put_sum(sample, Signal::net_rx_packets, net.outside.rx_packets);
    put_sum(sample, Signal::net_rx_bytes, net.outside.rx_bytes);
    put_sum(sample, Signal::net_tx_packets, net.outside.tx_packets);
    put_sum(sample, Signal::net_tx_bytes, net.outside.tx_bytes);
    put_sum(sample, Signal::net_drops, net.outside.drops);
    put_sum(sample, Signal::loopback_packets, net.loopback.rx_packets);
    put_sum(sample, Signal::loopback_bytes, net.loopback.rx_bytes);
  }
  std::optional<uint64_t> segments_in;
  if (const auto text = net_snmp_.read(buffer)) {
    const NetProtocols net = parse_snmp(*text);
    segments_in = net.tcp_segments_in;
    put(sample, Signal::tcp_active_opens, net.tcp_active_opens);
    put(sample, Signal::tcp_passive_opens, net.tcp_passive_opens);
    put(sample, Signal::tcp_retransmits, net.tcp_retransmits);
    put(sample, Signal::tcp_resets_sent, net.tcp_resets_sent);
    put(sample, Signal::udp_in, net.udp_in);
    put(sample, Signal::udp_out, net.udp_out);
  }
  put(sample, Signal::listen_drops, listen_drops(segments_in, buffer));
  if (const auto text = sockstat_.read(buffer)) {
    const Sockstat sockets = parse_sockstat(*text);
    put(sample, Signal::sockets_used, sockets.sockets_used);
    put(sample, Signal::tcp_in_use, sockets.tcp_in_use);
    put(sample, Signal::tcp_memory_bytes, sockets.tcp_memory_pages, page_bytes_);
    put(sample, Signal::udp_memory_bytes, sockets.udp_memory_pages, page_bytes_);
  }
}

}  // namespace hosa
