#include "proprioception/sensors.h"

#include <time.h>
#include <unistd.h>

#include "proprioception/buddyinfo.h"
#include "proprioception/diskstats.h"
#include "proprioception/kernel_stat.h"
#include "proprioception/meminfo.h"
#include "proprioception/pressure.h"
#include "proprioception/vmstat.h"

namespace hosa {

namespace {

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
  sample.put(some, pressure.some_us, kMicrosecond);
  sample.put(full, pressure.full_us, kMicrosecond);
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

void Sensors::read(Sample& sample, const Leisure& leisure) {
  char buffer[kKernelTextBytes];
  const uint64_t begun_ns = clock_ns(CLOCK_MONOTONIC);
  const bool all = !leisure.calm || begun_ns - all_read_ns_ >= kOldestNs;
  if (all) {
    all_read_ns_ = begun_ns;
    const uint64_t before_ns = now_.monotonic_ns;
    now_ = Sample{};
    now_.monotonic_ns = before_ns;
  }
  read_cpu(buffer);
  read_memory(buffer);
  read_vmstat(buffer);
  const bool disks = disks_may_have_moved(leisure.block_issues);
  read_pressure(buffer, all, disks);
  if (all || disks) read_disks(buffer);
  read_network(buffer, all);
  if (all) {
    read_tasks(buffer);
    read_open_files(buffer);
    read_free_orders(buffer);
  }
  now_.monotonic_ns = clock_ns(CLOCK_MONOTONIC);
  now_.boottime_ns = clock_ns(CLOCK_BOOTTIME);
  sample = now_;
}

// What was issued before the last reading may have been completed since: once more it is read.
bool Sensors::disks_may_have_moved(std::optional<uint64_t> issues) {
  const bool moved = !issues || issues != block_issues_, before = disks_moved_;
  block_issues_ = issues;
  disks_moved_ = moved;
  return moved || before;
}

void Sensors::read_cpu(std::span<char> buffer) {
  if (const auto text = stat_.read(buffer)) {
    const KernelStat stat = parse_kernel_stat(*text);
    if (stat.cpu) {
      const double second = 1.0 / ticks_per_second_;
      now_.put(Signal::cpu_user_seconds, stat.cpu->user, second);
      now_.put(Signal::cpu_nice_seconds, stat.cpu->nice, second);
      now_.put(Signal::cpu_system_seconds, stat.cpu->system, second);
      now_.put(Signal::cpu_idle_seconds, stat.cpu->idle, second);
      now_.put(Signal::cpu_iowait_seconds, stat.cpu->iowait, second);
      now_.put(Signal::cpu_irq_seconds, stat.cpu->irq, second);
      now_.put(Signal::cpu_softirq_seconds, stat.cpu->softirq, second);
      now_.put(Signal::cpu_steal_seconds, stat.cpu->steal, second);
    }
    now_.put(Signal::context_switches, stat.context_switches);
    now_.put(Signal::interrupts, stat.interrupts);
    now_.put(Signal::forks, stat.forks);
    now_.put(Signal::procs_running, stat.procs_running);
    now_.put(Signal::procs_blocked, stat.procs_blocked);
  }
}

void Sensors::read_tasks(std::span<char> buffer) {
  if (const auto text = loadavg_.read(buffer)) now_.put(Signal::tasks, parse_task_count(*text));
}

void Sensors::read_open_files(std::span<char> buffer) {
  // The kernel zeroes as many bytes as a reader of a sysctl asks for (fs/proc/proc_sysctl.c): 1.1 ms with 64 KB.
  if (const auto text = file_nr_.read(buffer.first(64))) {
    const OpenFiles files = parse_file_nr(*text);
    now_.put(Signal::open_files, files.open);
    now_.put(Signal::open_files_max, files.most);
  }
}

void Sensors::read_memory(std::span<char> buffer) {
  if (const auto text = meminfo_.read(buffer)) {
    const Meminfo memory = memory_ = parse_meminfo(*text);
    now_.put(Signal::memory_total_bytes, memory.total_bytes);
    now_.put(Signal::memory_available_bytes, memory.available_bytes);
    now_.put(Signal::memory_free_bytes, memory.free_bytes);
    now_.put(Signal::cached_bytes, memory.cached_bytes);
    now_.put(Signal::active_file_bytes, memory.active_file_bytes);
    now_.put(Signal::inactive_file_bytes, memory.inactive_file_bytes);
    now_.put(Signal::anon_bytes, memory.anon_bytes);
    now_.put(Signal::shmem_bytes, memory.shmem_bytes);
    now_.put(Signal::slab_bytes, memory.slab_bytes);
    now_.put(Signal::slab_reclaimable_bytes, memory.slab_reclaimable_bytes);
    now_.put(Signal::slab_unreclaimable_bytes, memory.slab_unreclaimable_bytes);
    now_.put(Signal::dirty_bytes, memory.dirty_bytes);
    now_.put(Signal::swap_total_bytes, memory.swap_total_bytes);
    now_.put(Signal::swap_free_bytes, memory.swap_free_bytes);
  }
}

Meminfo Sensors::memory() const {
  char buffer[8192];
  const auto text = meminfo_.read(buffer);
  return text ? parse_meminfo(*text) : Meminfo{};
}

double Sensors::available_bytes() const {
  return static_cast<double>(memory().available_bytes.value_or(0));
}

TaskCounts Sensors::tasks() const {
  char buffer[128];
  const auto text = loadavg_.read(buffer);
  if (!text) return {};
  return {parse_running_count(*text).value_or(0), parse_task_count(*text).value_or(0)};
}

void Sensors::read_free_orders(std::span<char> buffer) {
  if (const auto text = buddyinfo_.read(buffer))
    if (const auto entropy = free_order_entropy_norm(parse_buddyinfo(*text)))
      now_.put(Signal::free_order_entropy, *entropy);
}

void Sensors::read_vmstat(std::span<char> buffer) {
  const auto text = vmstat_.read(buffer);
  if (!text) return;
  const Vmstat vm = parse_vmstat(*text);
  now_.put(Signal::page_faults, vm.page_faults);
  now_.put(Signal::major_faults, vm.major_faults);
  now_.put(Signal::allocated_bytes, vm.pages_allocated, page_bytes_);
  now_.put(Signal::swap_in_pages, vm.swap_in_pages);
  now_.put(Signal::swap_out_pages, vm.swap_out_pages);
  now_.put(Signal::direct_reclaims, vm.direct_reclaims);
  now_.put(Signal::refault_file_pages, vm.refault_file);
  now_.put(Signal::refault_anon_pages, vm.refault_anon);
  now_.put(Signal::scanned_pages, vm.pages_scanned);
  now_.put(Signal::reclaimed_pages, vm.pages_reclaimed);
  now_.put(Signal::huge_page_faults, vm.huge_page_faults);
  now_.put(Signal::oom_kills, vm.oom_kills);
}

void Sensors::read_pressure(std::span<char> buffer, bool all, bool disks) {
  put_pressure(now_, cpu_pressure_, buffer, Signal::psi_cpu_some_seconds, Signal::psi_cpu_full_seconds);
  if (all || memory_may_have_waited())
    put_pressure(now_, memory_pressure_, buffer, Signal::psi_memory_some_seconds, Signal::psi_memory_full_seconds);
  if (!all && !disks && now_.monotonic_ns >= elsewhere_until_ns_) return;
  const double before = io_waited_;
  put_pressure(now_, io_pressure_, buffer, Signal::psi_io_some_seconds, Signal::psi_io_full_seconds);
  io_waited_ = now_[Signal::psi_io_some_seconds];
  if (!disks && io_waited_ != before) elsewhere_until_ns_ = now_.monotonic_ns + kElsewhereNs;
}

// Nobody waits for memory without a reclaim, a refault or a page from swap.
bool Sensors::memory_may_have_waited() {
  const double moved = now_[Signal::direct_reclaims] + now_[Signal::scanned_pages] + now_[Signal::refault_file_pages] +
                       now_[Signal::refault_anon_pages] + now_[Signal::swap_in_pages];
  const bool changed = moved != reclaimed_, before = reclaim_moved_;
  reclaimed_ = moved;
  reclaim_moved_ = changed;
  return changed || before;
}

void Sensors::read_disks(std::span<char> buffer) {
  const auto text = diskstats_.read(buffer);
  if (!text) return;
  const Diskstats disks = parse_diskstats(*text);
  now_.put_sum(Signal::disk_reads, disks.reads);
  now_.put_sum(Signal::disk_writes, disks.writes);
  now_.put_sum(Signal::disk_read_bytes, disks.read_bytes);
  now_.put_sum(Signal::disk_write_bytes, disks.write_bytes);
  now_.put_sum(Signal::disk_busy_seconds, disks.busy_ms, 1e-3);
  now_.put_sum(Signal::disk_request_seconds, disks.request_ms, 1e-3);
}

}  // namespace hosa
