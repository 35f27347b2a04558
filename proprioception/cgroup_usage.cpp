#include "proprioception/cgroup_usage.h"

#include "proprioception/field_table.h"

namespace hosa {

namespace {

constexpr std::size_t kStatBytes = 8192;  // memory.stat has about 60 lines, 1.6 KB, on 6.18

constexpr Field<MemoryStat> kFields[] = {
    {"active_file", &MemoryStat::active_file},           {"inactive_file", &MemoryStat::inactive_file},
    {"slab_reclaimable", &MemoryStat::slab_reclaimable}, {"workingset_refault_file", &MemoryStat::refault_file},
    {"workingset_refault", &MemoryStat::refault_file},  // before 5.9
    {"pgmajfault", &MemoryStat::major_faults},
};

// memory.stat may be a little older than memory.current, so the difference can fall below zero: then it is zero.
uint64_t less(uint64_t from, std::optional<uint64_t> part) {
  return part.value_or(0) < from ? from - part.value_or(0) : 0;
}

}  // namespace

MemoryStat parse_memory_stat(std::string_view text) {
  MemoryStat out;
  fill_fields<MemoryStat>(text, kFields, 1, out);
  return out;
}

CgroupMeter CgroupMeter::open(const Fd& cgroup) {
  CgroupMeter meter;
  meter.current_ = KernelText::open(cgroup, "memory.current");
  meter.stat_ = KernelText::open(cgroup, "memory.stat");
  meter.cpu_ = KernelText::open(cgroup, "cpu.stat");
  meter.pids_ = KernelText::open(cgroup, "pids.current");
  return meter;
}

CgroupUsage CgroupMeter::read_memory() const {
  CgroupUsage usage;
  char buffer[kStatBytes];
  if (const auto text = current_.read(buffer))
    if (const auto bytes = to_number(trim(*text))) {
      usage.has_memory = true;
      usage.current_bytes = usage.undroppable_bytes = *bytes;
    }
  if (const auto text = usage.has_memory ? stat_.read(buffer) : std::nullopt) {
    const MemoryStat stat = parse_memory_stat(*text);
    usage.undroppable_bytes =
        less(less(less(usage.current_bytes, stat.active_file), stat.inactive_file), stat.slab_reclaimable);
    usage.refault_file_pages = stat.refault_file.value_or(0);
    usage.major_faults = stat.major_faults.value_or(0);
  }
  return usage;
}

double CgroupMeter::read_current() const {
  char buffer[64];
  const auto text = current_.read(buffer);
  const auto bytes = text ? to_number(trim(*text)) : std::nullopt;
  return bytes ? static_cast<double>(*bytes) : -1;
}

CgroupUsage CgroupMeter::read_rates() const {
  CgroupUsage usage;
  char buffer[kStatBytes];
  if (const auto text = cpu_.read(buffer)) {
    const auto used = find_field(*text, "usage_usec");
    usage.has_cpu = used.has_value();
    usage.cpu_usec = used.value_or(0);
    usage.nr_throttled = find_field(*text, "nr_throttled").value_or(0);
  }
  if (const auto text = pids_.read(buffer))
    if (const auto count = to_number(trim(*text))) {
      usage.has_pids = true;
      usage.pids = *count;
    }
  return usage;
}

CgroupUsage CgroupMeter::read() const {
  CgroupUsage usage = read_memory();
  const CgroupUsage rates = read_rates();
  usage.has_cpu = rates.has_cpu;
  usage.cpu_usec = rates.cpu_usec;
  usage.nr_throttled = rates.nr_throttled;
  usage.has_pids = rates.has_pids;
  usage.pids = rates.pids;
  return usage;
}

CgroupUsage read_cgroup_usage(const Fd& cgroup) {
  return CgroupMeter::open(cgroup).read();
}

}  // namespace hosa
